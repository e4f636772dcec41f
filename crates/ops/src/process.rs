//! [`Held`]: what the process holds at the moment it is asked, as metrics: what grows with time is a leak.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::gauge::ConstGauge;
use tokio::runtime::Handle;

/// Tells tasks everywhere, memory and open files where `/proc` does; the latter two by the names that all of Prometheus' own libraries have for them.
#[derive(Debug)]
pub struct Held {
    runtimes: Vec<Handle>,
}

impl Held {
    /// What the process holds whose tasks run on `runtimes`.
    pub fn by(runtimes: Vec<Handle>) -> Self {
        Self { runtimes }
    }
}

impl Collector for Held {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let tasks = self.runtimes.iter().map(|runtime| runtime.metrics().num_alive_tasks()).sum::<usize>();
        let tasks = u64::try_from(tasks).ok();
        for (name, help, held) in [
            ("prescale_tasks", "Tasks of the process that have not ended", tasks),
            ("process_resident_memory_bytes", "Memory that the process holds", resident()),
            ("process_open_fds", "Files and connections that the process holds open", open_files()),
        ] {
            let Some(held) = held else { continue };
            let gauge = ConstGauge::new(i64::try_from(held).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

/// In bytes; `None` where the system does not tell.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

fn open_files() -> Option<u64> {
    // the folder is open itself while it is counted
    let count = std::fs::read_dir("/proc/self/fd").ok()?.count();
    u64::try_from(count.saturating_sub(1)).ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_the_process_takes_and_gives_back_is_told() {
        let files = open_files().unwrap();
        let opened: Vec<_> = (0..50).map(|_| std::fs::File::open("/proc/self/status").unwrap()).collect();
        // other tests of this process open and close some too
        assert!(open_files().unwrap() >= files + 30);
        drop(opened);
        let before = resident().unwrap();
        let taken = vec![1_u8; 64 << 20];
        assert!(resident().unwrap() > before + (48 << 20), "{before}, {}", taken.len());
    }
}
