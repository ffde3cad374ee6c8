//! A file of what was acknowledged: `device,time`, so that it can be held against what is stored.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Context;
use plotwise_ingest::publish::Receipt;

/// The file, written as acknowledgements come.
pub(super) struct Receipts {
    path: PathBuf,
    file: Arc<Mutex<Lines>>,
}

struct Lines {
    out: BufWriter<File>,
    /// The first failure; nothing is written after it.
    failed: Option<io::Error>,
}

impl Receipts {
    /// Makes the file anew.
    pub(super) fn create(path: &Path) -> anyhow::Result<Self> {
        let file =
            File::create(path).with_context(|| format!("{} cannot be written", path.display()))?;
        let mut out = BufWriter::with_capacity(1 << 16, file);
        out.write_all(b"device,time\n")?;
        let file = Arc::new(Mutex::new(Lines { out, failed: None }));
        Ok(Self { path: path.to_owned(), file })
    }

    pub(super) fn receipt(&self) -> Receipt {
        let file = Arc::clone(&self.file);
        Receipt::new(move |topic, payload| {
            let mut lines = file.lock().unwrap_or_else(PoisonError::into_inner);
            if lines.failed.is_none() {
                lines.failed = write_line(&mut lines.out, topic, payload).err();
            }
        })
    }

    /// Writes what is left.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        let mut lines = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let written = lines.failed.take().map_or_else(|| lines.out.flush(), Err);
        written.with_context(|| format!("{} cannot be written", self.path.display()))
    }
}

/// Device from the topic, milliseconds from the payload: both as made here.
fn write_line(out: &mut impl Write, topic: &[u8], payload: &[u8]) -> io::Result<()> {
    let device = topic.split(|byte| *byte == b'/').nth(2).unwrap_or_default();
    let time = payload.strip_prefix(br#"{"time":"#).unwrap_or_default();
    let digits = time.iter().take_while(|byte| byte.is_ascii_digit()).count();
    out.write_all(device)?;
    out.write_all(b",")?;
    out.write_all(&time[..digits])?;
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_device_and_time() {
        let mut out = Vec::new();
        write_line(&mut out, b"plotwise/v1/sim-0007/up", br#"{"time":1767225600000,"seq":1}"#)
            .unwrap();
        assert_eq!(out, b"sim-0007,1767225600000\n");
    }
}
