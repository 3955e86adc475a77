//! Reads the numbers, and only those that are sent.

use std::collections::BTreeMap;
use std::path::Path;

use sysinfo::{DiskRefreshKind, Disks, Networks, System};

use super::lines::{Lines, Number};
use crate::clock;

/// This host cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("this host's metrics cannot be read: {0}")]
pub struct NoMetrics(String);

/// Reads this host.
pub struct Sampler {
    host: String,
    system: System,
    disks: Disks,
    networks: Networks,
}

impl Sampler {
    /// Prepares to read the host of this name. CPU usage is that since the reading before, the first of which is here.
    ///
    /// # Errors
    /// [`NoMetrics`] when the system does not give any.
    pub fn new(host: &str) -> Result<Self, NoMetrics> {
        let unreadable = |error: sysinfo::Error| NoMetrics(format!("{error:?}"));
        let mut sampler = Self {
            host: host.to_owned(),
            system: System::new().map_err(unreadable)?,
            disks: Disks::new().map_err(unreadable)?,
            networks: Networks::new().map_err(unreadable)?,
        };
        sampler.system.refresh_cpu_usage();
        Ok(sampler)
    }

    /// Reads once. Returns lines of line protocol.
    pub fn sample(&mut self) -> Vec<u8> {
        self.system.refresh_cpu_usage();
        self.system.refresh_memory();
        self.disks.refresh_specifics(true, DiskRefreshKind::nothing().with_storage());
        self.networks.refresh(true);
        let nanoseconds = i64::try_from(clock::now().as_nanosecond()).unwrap_or_default();
        let mut lines = Lines::new(&self.host, nanoseconds);
        self.add_system(&mut lines);
        self.add_disks(&mut lines);
        self.add_networks(&mut lines);
        lines.finish()
    }

    fn add_system(&self, lines: &mut Lines<'_>) {
        let system = &self.system;
        let usage = f64::from(system.global_cpu_usage());
        lines.add(
            "cpu",
            &[("cpu", "cpu-total")],
            &[("usage_active", Number::Real(usage)), ("usage_idle", Number::Real(100.0 - usage))],
        );
        lines.add(
            "mem",
            &[],
            &[
                ("total", Number::Whole(system.total_memory())),
                ("available", Number::Whole(system.available_memory())),
                ("used", Number::Whole(system.used_memory())),
                ("used_percent", percent(system.used_memory(), system.total_memory())),
            ],
        );
        if system.total_swap() > 0 {
            lines.add(
                "swap",
                &[],
                &[
                    ("total", Number::Whole(system.total_swap())),
                    ("free", Number::Whole(system.free_swap())),
                    ("used", Number::Whole(system.used_swap())),
                    ("used_percent", percent(system.used_swap(), system.total_swap())),
                ],
            );
        }
        let mut fields = vec![("n_cpus", Number::Whole(system.cpus().len() as u64))];
        if let Ok(load) = System::load_average() {
            fields.extend([
                ("load1", Number::Real(load.one)),
                ("load5", Number::Real(load.five)),
                ("load15", Number::Real(load.fifteen)),
            ]);
        }
        fields.extend(System::uptime().ok().map(|seconds| ("uptime", Number::Whole(seconds))));
        lines.add("system", &[], &fields);
    }

    fn add_disks(&self, lines: &mut Lines<'_>) {
        let all = self.disks.iter().filter(|disk| disk.total_space() > 0);
        let places: Vec<_> = all.collect();
        let names = places.iter().map(|disk| (disk.name().to_str().unwrap_or_default(), disk.mount_point()));
        for index in one_place_each(names) {
            let Some(disk) = places.get(index) else { continue };
            let (total, free) = (disk.total_space(), disk.available_space());
            let used = total.saturating_sub(free);
            let tags = [
                ("device", disk.name().to_string_lossy()),
                ("fstype", disk.file_system().to_string_lossy()),
                ("path", disk.mount_point().to_string_lossy()),
            ];
            lines.add(
                "disk",
                &tags.each_ref().map(|(name, value)| (*name, value.as_ref())),
                &[
                    ("total", Number::Whole(total)),
                    ("free", Number::Whole(free)),
                    ("used", Number::Whole(used)),
                    ("used_percent", percent(used, total)),
                ],
            );
        }
    }

    fn add_networks(&self, lines: &mut Lines<'_>) {
        for (name, data) in &*self.networks {
            lines.add(
                "net",
                &[("interface", &name.to_string_lossy())],
                &[
                    ("bytes_recv", Number::Whole(data.total_received())),
                    ("bytes_sent", Number::Whole(data.total_transmitted())),
                    ("packets_recv", Number::Whole(data.total_packets_received())),
                    ("packets_sent", Number::Whole(data.total_packets_transmitted())),
                    ("err_in", Number::Whole(data.total_errors_on_received())),
                    ("err_out", Number::Whole(data.total_errors_on_transmitted())),
                ],
            );
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a percentage needs no more than 52 bits")]
fn percent(part: u64, whole: u64) -> Number {
    Number::Real(part as f64 * 100.0 / whole as f64)
}

/// A device is mounted in several places where directories are bound to others, as in systemd's sandbox. Returns the
/// positions of the shortest mount point of each.
fn one_place_each<'a>(disks: impl Iterator<Item = (&'a str, &'a Path)>) -> Vec<usize> {
    let mut shortest: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (index, (device, place)) in disks.enumerate() {
        // What is no device, such as `overlay`, may be something else each time.
        let identity =
            if device.starts_with("/dev/") { device.to_owned() } else { format!("{device} {}", place.display()) };
        let length = place.as_os_str().len();
        let best = shortest.entry(identity).or_insert((length, index));
        *best = (*best).min((length, index));
    }
    shortest.into_values().map(|(_, index)| index).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_of_this_host_is_line_protocol_with_what_was_promised() {
        let mut sampler = Sampler::new("this-host").unwrap();
        let text = String::from_utf8(sampler.sample()).unwrap();
        let mut measurements: Vec<_> = influxdb_line_protocol::parse_lines(&text)
            .map(|line| line.unwrap().series.measurement.to_string())
            .collect();
        measurements.dedup();
        for promised in ["cpu", "mem", "system", "net"] {
            assert!(measurements.iter().any(|measurement| measurement == promised), "{promised} in {text}");
        }
        assert!(text.contains("load1=") && text.contains("bytes_recv="), "{text}");
    }

    #[test]
    fn a_device_is_counted_once_however_often_it_is_mounted() {
        let disks = [
            ("/dev/sda1", "/etc/stratora"),
            ("/dev/sda1", "/"),
            ("/dev/sda2", "/var"),
            ("overlay", "/a"),
            ("overlay", "/b"),
        ];
        let mut kept = one_place_each(disks.iter().map(|(device, place)| (*device, Path::new(*place))));
        kept.sort_unstable();
        assert_eq!(kept, [1, 2, 3, 4]);
    }
}
