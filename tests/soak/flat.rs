//! Whether memory and descriptors of a process stay flat.

use std::fmt;
use std::fs;

/// The most by which the median of the last quarter may be above that of the second: memory in percent and
/// besides in megabytes, descriptors by their number. The first quarter is for warming up.
const MEMORY_PERCENT: u64 = 10;
const MEMORY_MEGABYTES: u64 = 8;
const DESCRIPTORS: u64 = 16;

/// What was seen of one process, in time.
#[derive(Default)]
pub(crate) struct Samples {
    /// Resident memory, kB.
    memory: Vec<u64>,
    /// Open descriptors.
    descriptors: Vec<u64>,
}

impl Samples {
    /// Looks at a process.
    pub(crate) fn take(&mut self, process: u32) {
        let status = fs::read_to_string(format!("/proc/{process}/status")).expect("a status");
        let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let memory = memory.and_then(|line| line.trim().strip_suffix(" kB"));
        self.memory.push(memory.and_then(|kb| kb.parse().ok()).expect("resident memory"));
        let descriptors = fs::read_dir(format!("/proc/{process}/fd")).expect("descriptors").count();
        self.descriptors.push(descriptors as u64);
    }

    /// Fails where one of them has grown.
    pub(crate) fn check(&self) {
        let (before, after) = quarters(&self.memory);
        let most = before + before * MEMORY_PERCENT / 100 + MEMORY_MEGABYTES * 1024;
        assert!(after <= most, "memory has grown from {before} kB to {after} kB");
        let (before, after) = quarters(&self.descriptors);
        assert!(after <= before + DESCRIPTORS, "descriptors: first {before}, in the end {after}");
    }
}

/// The medians of the second and of the last quarter.
fn quarters(samples: &[u64]) -> (u64, u64) {
    let quarter = samples.len() / 4;
    assert!(quarter > 0, "too short to tell");
    let median = |part: &[u64]| {
        let mut sorted = part.to_vec();
        sorted.sort_unstable();
        sorted[sorted.len() / 2]
    };
    (median(&samples[quarter..2 * quarter]), median(&samples[3 * quarter..]))
}

impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (memory, descriptors) = (quarters(&self.memory), quarters(&self.descriptors));
        write!(
            f,
            "the last life, in its second and in its last quarter: memory {} kB and {} kB, descriptors {} and {}",
            memory.0, memory.1, descriptors.0, descriptors.1
        )
    }
}
