//! Whether memory and descriptors of a process stay flat, however many requests it answers.

use std::fmt;
use std::fs;

/// The most by which memory may grow with each request, in bytes, while nothing new is stored. Caches that
/// still fill make 10 to 50 of it in two minutes (1 after six), and an entry of a map or of a list for each
/// request, which is the smallest leak there is, adds more than what is left.
const BYTES_PER_REQUEST: f64 = 100.0;
/// With fewer requests a leak would not stand out from what an allocator does once.
const REQUESTS: u64 = 10_000;
/// The most by which memory may grow while there is more and more stored: the cache that SQLite has for pages
/// (2 MB), what is known of secrets that matched, and room for as many hashes at once as there are threads.
const MEGABYTES: u64 = 5;
/// By how many the most descriptors of the last quarter may be above those of the second: a connection that
/// a client happens to have opened besides.
const DESCRIPTORS: u64 = 4;

/// What was seen at one moment.
struct Sample {
    /// How many requests had been answered.
    requests: u64,
    /// Resident memory that is no file, in bytes.
    memory: u64,
    /// Open descriptors.
    descriptors: u64,
}

/// What was seen of one process, in time.
#[derive(Default)]
pub(crate) struct Samples(Vec<Sample>);

impl Samples {
    /// Looks at a process that has answered so many requests.
    pub(crate) fn take(&mut self, process: u32, requests: u64) {
        let status = fs::read_to_string(format!("/proc/{process}/status")).expect("a status");
        let memory = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let memory = memory.and_then(|line| line.trim().strip_suffix(" kB"));
        let memory: u64 = memory.and_then(|kb| kb.parse().ok()).expect("resident memory");
        let descriptors = fs::read_dir(format!("/proc/{process}/fd")).expect("descriptors").count();
        let descriptors = descriptors as u64;
        self.0.push(Sample { requests, memory: memory * 1024, descriptors });
    }

    /// Whether there were enough requests to tell. How long that takes depends on the machine.
    pub(crate) fn suffice(&self) -> bool {
        let steady = self.steady();
        steady.last().unwrap().requests - steady.first().unwrap().requests >= REQUESTS
    }

    /// Fails where memory has grown with requests that store nothing new.
    pub(crate) fn check_flat(&self) {
        assert!(self.suffice(), "too few requests to tell: {self}");
        let grown = self.bytes_per_request();
        assert!(grown <= BYTES_PER_REQUEST, "memory grows by {grown:.0} bytes a request");
    }

    /// Fails where memory or descriptors have grown beyond what is set aside for them.
    pub(crate) fn check_bounded(&self) {
        let (before, after) = self.quarters(|sample| sample.memory);
        let most = before + MEGABYTES * 1024 * 1024;
        assert!(after <= most, "memory has grown from {before} to {after} bytes");
        let (before, after) = self.quarters(|sample| sample.descriptors);
        assert!(after <= before + DESCRIPTORS, "descriptors: first {before}, in the end {after}");
    }

    /// All but the first quarter, which is for warming up.
    fn steady(&self) -> &[Sample] {
        let Self(all) = self;
        assert!(all.len() >= 8, "too short to tell");
        &all[all.len() / 4..]
    }

    /// By how much memory grows with each request: the median slope of all pairs of samples that are far
    /// apart (Theil and Sen), so that neither a hash that takes its 19 MB for a moment nor one step
    /// of an allocator decides.
    fn bytes_per_request(&self) -> f64 {
        let steady = self.steady();
        let apart = steady.len() / 3;
        let pairs = (0..steady.len()).flat_map(|one| {
            (one + apart..steady.len()).map(move |other| (&steady[one], &steady[other]))
        });
        let slope = |(one, other): (&Sample, &Sample)| {
            #[expect(clippy::cast_precision_loss, reason = "they are far below 2^52")]
            let number = |it: u64| it as f64;
            (number(other.memory) - number(one.memory))
                / number((other.requests - one.requests).max(1))
        };
        let mut slopes: Vec<_> = pairs.map(slope).collect();
        slopes.sort_unstable_by(f64::total_cmp);
        slopes[slopes.len() / 2]
    }

    /// The most of something in the second and in the last quarter; but not that of a single moment.
    fn quarters(&self, what: impl Fn(&Sample) -> u64) -> (u64, u64) {
        let steady = self.steady();
        let third = steady.len() / 3;
        let most = |part: &[Sample]| {
            let mut sorted: Vec<_> = part.iter().map(&what).collect();
            sorted.sort_unstable();
            sorted[sorted.len() * 9 / 10]
        };
        (most(&steady[..third]), most(&steady[steady.len() - third..]))
    }
}

impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = (self.steady().first().unwrap(), self.steady().last().unwrap());
        let (memory, descriptors) =
            (self.quarters(|sample| sample.memory), self.quarters(|sample| sample.descriptors));
        write!(
            f,
            "{} requests, memory {} kB and {} kB, {:.1} bytes a request, descriptors {} and {}",
            last.requests - first.requests,
            memory.0 / 1024,
            memory.1 / 1024,
            self.bytes_per_request(),
            descriptors.0,
            descriptors.1,
        )
    }
}
