//! Processes: started with all of a core or a part of one, and what they use.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// A part of one core, for processes that are started in it: a control group of Linux, version 1 or 2.
pub struct Share {
    inside: PathBuf,
    outside: PathBuf,
}

/// The period of the quota, in microseconds: a short one, as Lambda's is, so that a process is stopped often
/// and briefly.
const PERIOD: u32 = 20_000;

impl Share {
    /// A group that gets `share` of one core. Needs root.
    ///
    /// # Errors
    /// When the control groups of this machine cannot be written.
    pub fn of_a_core(share: f64) -> io::Result<Self> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below PERIOD")]
        let quota = (f64::from(PERIOD) * share) as u32;
        let version_1 = Path::new("/sys/fs/cgroup/cpu");
        let root = if version_1.is_dir() { version_1 } else { Path::new("/sys/fs/cgroup") };
        let group = root.join(format!("identety-bench-{quota}"));
        if !group.is_dir() {
            fs::create_dir(&group)?;
        }
        if version_1.is_dir() {
            fs::write(group.join("cpu.cfs_period_us"), PERIOD.to_string())?;
            fs::write(group.join("cpu.cfs_quota_us"), quota.to_string())?;
        } else {
            fs::write(group.join("cpu.max"), format!("{quota} {PERIOD}"))?;
        }
        Ok(Self { inside: group.join("cgroup.procs"), outside: root.join(own_group()?) })
    }
}

/// The group that this process is in, below the root, as the path of its list of processes.
fn own_group() -> io::Result<PathBuf> {
    let groups = fs::read_to_string("/proc/self/cgroup")?;
    let of_cpu = groups.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let controllers = parts.next()?;
        let is_it = controllers.is_empty() || controllers.split(',').any(|name| name == "cpu");
        is_it.then(|| parts.next().unwrap_or_default().to_owned())
    });
    let group = of_cpu.unwrap_or_default();
    Ok(Path::new(group.trim_start_matches('/')).join("cgroup.procs"))
}

/// A running process, which ends when this is dropped.
pub struct Process {
    child: Child,
    /// When it was started.
    pub started: Instant,
}

impl Process {
    /// Starts one, in a share of a core if there is one: this process enters the group, and leaves it again
    /// while the new one, which was born in it, stays.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(command: &mut Command, share: Option<&Share>) -> io::Result<Self> {
        let own = std::process::id().to_string();
        if let Some(share) = share {
            fs::write(&share.inside, &own)?;
        }
        let started = Instant::now();
        let child = command.spawn();
        if let Some(share) = share {
            fs::write(&share.outside, &own)?;
        }
        Ok(Self { child: child?, started })
    }

    /// The CPU time of all its threads.
    pub fn cpu(&self) -> Duration {
        let tasks = format!("/proc/{}/task", self.child.id());
        let threads = fs::read_dir(tasks).into_iter().flatten().flatten();
        let spent = threads.filter_map(|thread| {
            let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
            text.split(' ').next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(spent.sum())
    }

    /// How much memory it has, in KiB: all that is resident, and of that what no file lies behind.
    pub fn memory(&self) -> (u64, u64) {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let text = text.unwrap_or_default();
        let of = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
        };
        (of("VmRSS:"), of("RssAnon:"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Errors mean that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
