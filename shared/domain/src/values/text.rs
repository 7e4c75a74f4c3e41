//! Text from people: which characters it may have, and the forms in which it is compared.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::props::{
    DefaultIgnorableCodePoint, Emoji, GeneralCategory as Category, WhiteSpace,
};
use icu_properties::{CodePointMapData, CodePointSetData};

/// `text` in Unicode Normalization Form C (UAX #15): what looks the same in any font is the same.
pub(crate) fn nfc(text: &str) -> Cow<'_, str> {
    ComposingNormalizerBorrowed::new_nfc().normalize(text)
}

/// `text` in Unicode Normalization Form KC (UAX #15): what keyboards of one script write for the same key is the
/// same, such as a full-width letter and the plain one.
pub(crate) fn nfkc(text: &str) -> Cow<'_, str> {
    ComposingNormalizerBorrowed::new_nfkc().normalize(text)
}

/// The zero width non-joiner and joiner: Persian words and many emoji are not written without them.
const JOINERS: [char; 2] = ['\u{200c}', '\u{200d}'];

/// Makes an emoji of the symbol before it, where that could be plain text (UTS #51 §1.4.3).
const EMOJI_VARIATION: [char; 2] = ['\u{fe0e}', '\u{fe0f}'];

/// A Braille cell without dots. Unicode calls it a symbol, and there is nothing to see.
const BRAILLE_BLANK: char = '\u{2800}';

/// Whether a reader sees each character of `text`: none is a control, format, invisible, private or unassigned one,
/// nor a line break. A joiner is fine between two characters that can be seen, and a variation selector behind
/// an emoji.
pub(crate) fn is_printable(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    characters.iter().copied().enumerate().all(|(at, c)| {
        let before = at.checked_sub(1).and_then(|at| characters.get(at).copied());
        if JOINERS.contains(&c) {
            let follows = before.is_some_and(|c| is_seen(c) || is_emoji_variation(c));
            return follows && characters.get(at + 1).copied().is_some_and(is_seen);
        }
        if is_emoji_variation(c) {
            return before.is_some_and(is_emoji);
        }
        is_space(c) || is_seen(c)
    })
}

/// Whether `text` shows anything at all.
pub(crate) fn is_blank(text: &str) -> bool {
    !text.chars().any(|c| is_seen(c) && !is_mark(c))
}

fn is_emoji_variation(c: char) -> bool {
    EMOJI_VARIATION.contains(&c)
}

fn is_emoji(c: char) -> bool {
    CodePointSetData::new::<Emoji>().contains(c)
}

fn category(c: char) -> Category {
    CodePointMapData::<Category>::new().get(c)
}

fn is_mark(c: char) -> bool {
    matches!(
        category(c),
        Category::NonspacingMark | Category::SpacingMark | Category::EnclosingMark
    )
}

/// A space of any width. Line and paragraph separators are none.
fn is_space(c: char) -> bool {
    category(c) == Category::SpaceSeparator
}

/// Whether `c` leaves a mark on the paper.
fn is_seen(c: char) -> bool {
    let is_of_a_kind = !matches!(
        category(c),
        Category::Control
            | Category::Format
            | Category::LineSeparator
            | Category::ParagraphSeparator
            | Category::PrivateUse
            | Category::SpaceSeparator
            | Category::Surrogate
            | Category::Unassigned
    );
    is_of_a_kind
        && c != BRAILLE_BLANK
        && !CodePointSetData::new::<WhiteSpace>().contains(c)
        && !CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Ada Lovelace")]
    #[case("Łukasz Żółć")]
    #[case("e\u{301}")]
    #[case("山田\u{3000}太郎")]
    #[case("می\u{200c}خواهم")]
    #[case("👩\u{200d}🔬 Ada")]
    #[case("👩\u{200d}⚕\u{fe0f}")]
    #[case("❤\u{fe0f}\u{200d}🔥")]
    #[case("क्\u{200d}ष")]
    #[case("O’Brien – \"quoted\" \\ <b>")]
    fn what_people_write_is_printable(#[case] text: &str) {
        assert!(is_printable(text), "{text:?}");
        assert!(!is_blank(text), "{text:?}");
    }

    #[rstest]
    #[case("a\u{200b}b")]
    #[case("a\u{ad}b")]
    #[case("\u{3164}")]
    #[case("\u{2800}")]
    #[case("\u{115f}\u{1160}")]
    #[case("a\u{ffa0}")]
    #[case("a\u{202e}b")]
    #[case("a\u{2066}b")]
    #[case("a\u{feff}b")]
    #[case("a\u{2028}b")]
    #[case("a\nb")]
    #[case("a\u{85}b")]
    #[case("a\u{378}b")]
    #[case("a\u{e000}b")]
    #[case("a\u{ffff}b")]
    #[case("a\u{e0061}b")]
    #[case("\u{200d}a")]
    #[case("a\u{200d}")]
    #[case("a\u{200d}\u{200d}b")]
    #[case("a\u{200c} b")]
    #[case("a\u{fe0f}b")]
    #[case("a\u{180e}b")]
    #[case("a\u{fff9}b")]
    fn what_cannot_be_seen_is_not_printable(#[case] text: &str) {
        assert!(!is_printable(text), "{text:?}");
    }

    #[rstest]
    #[case("")]
    #[case("  ")]
    #[case("\u{a0}\u{3000}")]
    #[case("\u{2003}\u{301}")]
    fn what_shows_nothing_is_blank(#[case] text: &str) {
        assert!(is_blank(text), "{text:?}");
    }

    #[test]
    fn normal_forms_are_those_of_unicode() {
        assert_eq!(nfc("jo\u{308}rg"), "jörg");
        assert_eq!(nfc("ﬁ"), "ﬁ");
        assert_eq!(nfkc("ﬁne jo\u{308}rg Ａ１"), "fine jörg A1");
    }
}
