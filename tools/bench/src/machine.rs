//! The machine a figure was taken on.
//!
//! Owns one line: cores, CPU model, system, and the load of the last minute, since on a shared machine
//! that explains a bad figure. It deliberately answers "unknown" where the system does not say, as a
//! benchmark must run everywhere.

/// Cores, CPU model and load, for a person.
pub(crate) fn describe() -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let loadavg = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = loadavg.split(' ').next().filter(|word| !word.is_empty()).unwrap_or("unknown");
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    format!("{cores} cores, {}, {os} {arch}, load {load}", cpu_model(&cpuinfo))
}

fn cpu_model(cpuinfo: &str) -> &str {
    let mut lines = cpuinfo.lines().filter_map(|line| line.split_once(':'));
    lines
        .find(|(key, _)| key.trim() == "model name")
        .map_or("unknown CPU", |(_, model)| model.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_found_or_unknown() {
        assert_eq!(cpu_model("processor\t: 0\nmodel name\t: Fast CPU\n"), "Fast CPU");
        assert_eq!(cpu_model(""), "unknown CPU");
    }
}
