//! Examples, changed as the bytes of the engine say: so that most of what comes out is nearly right.

use std::panic::RefUnwindSafe;

use bolero::check;

/// The most changes of one example.
const MOST_CHANGES: usize = 6;
/// How many bytes tell of one change.
const CHANGE: usize = 4;

/// Examples to begin with, and pieces to put in.
#[derive(Clone, Copy)]
pub(crate) struct Examples {
    pub(crate) whole: &'static [&'static str],
    pub(crate) pieces: &'static [&'static str],
}

/// Runs `judge` on `iterations` inputs, or as many as the environment says.
pub(crate) fn fuzz(examples: Examples, iterations: usize, judge: impl Fn(&[u8]) + RefUnwindSafe) {
    let judge = |input: &[u8]| {
        let told = Told(input);
        judge(input);
        drop(told);
    };
    for example in examples.whole {
        judge(example.as_bytes());
    }
    check!()
        .with_iterations(iterations)
        .with_max_len(512)
        .for_each(|script: &[u8]| judge(&examples.changed(script)));
}

/// Shows an input when its judgement ends by a panic.
struct Told<'a>(&'a [u8]);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("the input was {:?}", String::from_utf8_lossy(self.0));
        }
    }
}

impl Examples {
    /// An example with changes, or in one of eight cases the script itself.
    pub(crate) fn changed(&self, script: &[u8]) -> Vec<u8> {
        let [which, how_many, changes @ ..] = script else { return script.to_vec() };
        if which % 8 == 7 {
            return changes.to_vec();
        }
        let mut text = self.example(*which).to_vec();
        let most = usize::from(*how_many) % MOST_CHANGES + 1;
        for change in changes.chunks_exact(CHANGE).take(most) {
            self.change(&mut text, change);
        }
        text
    }

    fn example(&self, which: u8) -> &'static [u8] {
        let index = usize::from(which / 8) % self.whole.len();
        self.whole[index].as_bytes()
    }

    fn change(&self, text: &mut Vec<u8>, change: &[u8]) {
        let [what, high, low, with] = *change else { return };
        let place = usize::from(u16::from_be_bytes([high, low])) % (text.len() + 1);
        let length = (usize::from(with) % 24).min(text.len() - place);
        let piece = self.pieces[usize::from(with) % self.pieces.len()].as_bytes();
        match what % 9 {
            0 => {
                if let Some(byte) = text.get_mut(place) {
                    *byte ^= 1 << (with % 8);
                }
            }
            1 => text.insert(place, with),
            2 => drop(text.drain(place..place + length)),
            3 => drop(text.splice(place..place, piece.iter().copied())),
            4 => drop(text.splice(place..place + length, piece.iter().copied())),
            5 => {
                let twice = text[place..place + length].to_vec();
                text.splice(place..place, twice);
            }
            6 => text.truncate(place),
            7 => {
                let other = self.example(with);
                let tail = other.iter().skip(place).copied().collect::<Vec<_>>();
                text.truncate(place);
                text.extend(tail);
            }
            _ => {
                if let Some(byte) = text.get(place).copied() {
                    let encoded = format!("%{byte:02X}");
                    text.splice(place..=place, encoded.bytes());
                }
            }
        }
    }
}
