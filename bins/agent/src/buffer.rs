//! Metrics that wait for the server. What is newest is in memory; what could not be sent at once is on disk, in files
//! that are each one request's body. When there is too much, the oldest file goes.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;

/// How large a file grows, in bytes: a quarter of what the server takes in a request, and what is lost at once.
const SEGMENT: u64 = 256 * 1024;

/// Metrics that wait.
pub struct Buffer {
    directory: PathBuf,
    most: u64,
    /// The files, the oldest first.
    segments: VecDeque<Segment>,
    next_number: u64,
    /// What came last, and has not been tried yet.
    fresh: Vec<u8>,
    /// What is being sent.
    sending: Option<Batch>,
    dropped: u64,
    /// Why the disk could not be written, when that was last tried.
    trouble: Option<String>,
}

#[derive(Debug)]
struct Segment {
    number: u64,
    size: u64,
    lines: u64,
    /// It was or is being sent as it is, so nothing may be added.
    sealed: bool,
}

/// What is sent in one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The file that it is in; `None`: it is in memory.
    segment: Option<u64>,
    /// Lines of line protocol.
    pub lines: Vec<u8>,
}

impl Buffer {
    /// Finds what an earlier run has left in `directory`, and keeps at most `most` bytes there.
    ///
    /// # Errors
    /// When the directory cannot be made or read.
    pub fn open(directory: PathBuf, most: u64) -> io::Result<Self> {
        fs::create_dir_all(&directory)?;
        let mut segments = Vec::new();
        for entry in fs::read_dir(&directory)? {
            let entry = entry?;
            let number = entry.file_name().to_str().and_then(|name| name.strip_suffix(".lines")?.parse().ok());
            let Some(number) = number else { continue };
            let (size, lines) = repair(&entry.path())?;
            if size == 0 {
                fs::remove_file(entry.path())?;
            } else {
                segments.push(Segment { number, size, lines, sealed: true });
            }
        }
        segments.sort_unstable_by_key(|segment| segment.number);
        let next_number = segments.last().map_or(0, |segment| segment.number + 1);
        let (fresh, sending) = (Vec::new(), None);
        let segments = segments.into();
        Ok(Self { directory, most, segments, next_number, fresh, sending, dropped: 0, trouble: None })
    }

    /// Takes new lines. Those from before go to disk unless they are gone; if they cannot, they are dropped and
    /// counted.
    pub fn push(&mut self, lines: &[u8]) {
        self.spill_fresh();
        self.fresh.extend_from_slice(lines);
    }

    /// What to send next, the oldest first; the same again until it is [sent](Self::sent) or [given
    /// back](Self::give_back). Returns a copy.
    pub fn to_send(&mut self) -> Option<Batch> {
        if self.sending.is_none() {
            self.sending = self.oldest();
        }
        self.sending.clone()
    }

    /// What was being sent has arrived.
    pub fn sent(&mut self) {
        let Some(Batch { segment: Some(number), lines }) = self.sending.take() else { return };
        if self.segments.iter().any(|segment| segment.number == number) {
            self.remove(number);
        } else {
            // It had to make room while it was on its way, and was counted too soon.
            self.dropped = self.dropped.saturating_sub(count(&lines));
        }
    }

    /// What was being sent has not arrived, and waits on disk from now on; if it cannot, it is dropped and counted.
    pub fn give_back(&mut self) {
        if let Some(Batch { segment: None, lines }) = self.sending.take() {
            self.spill(&lines);
        }
    }

    /// What was being sent will never be taken. Returns how many lines are dropped.
    pub fn reject(&mut self) -> u64 {
        let lines = self.sending.as_ref().map_or(0, |batch| count(&batch.lines));
        self.sent();
        self.dropped += lines;
        lines
    }

    /// Puts everything on disk, before the program ends.
    pub fn keep(&mut self) {
        self.give_back();
        self.spill_fresh();
    }

    /// Why the disk could not be written, when that was last tried.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// How many bytes wait on disk.
    pub fn size(&self) -> u64 {
        self.segments.iter().map(|segment| segment.size).sum()
    }

    /// How many lines were dropped since the start.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    fn oldest(&mut self) -> Option<Batch> {
        while let Some(segment) = self.segments.front_mut() {
            segment.sealed = true;
            let number = segment.number;
            if let Ok(lines) = fs::read(path(&self.directory, number)) {
                return Some(Batch { segment: Some(number), lines });
            }
            // Somebody has removed it, or the disk is broken.
            self.dropped += segment.lines;
            self.remove(number);
        }
        let fresh = std::mem::take(&mut self.fresh);
        (!fresh.is_empty()).then_some(Batch { segment: None, lines: fresh })
    }

    fn remove(&mut self, number: u64) {
        // If the file stays, it is sent again by the next run, which changes nothing on the server.
        let _removed = fs::remove_file(path(&self.directory, number));
        self.segments.retain(|segment| segment.number != number);
    }

    fn spill_fresh(&mut self) {
        let fresh = std::mem::take(&mut self.fresh);
        if !fresh.is_empty() {
            self.spill(&fresh);
        }
    }

    fn spill(&mut self, lines: &[u8]) {
        let length = lines.len() as u64;
        while self.size() + length > self.most {
            let Some(oldest) = self.segments.front() else { break };
            self.dropped += oldest.lines;
            let number = oldest.number;
            self.remove(number);
        }
        self.trouble = self.append(lines).err().map(|error| error.to_string());
        if self.trouble.is_some() {
            self.dropped += count(lines);
        }
    }

    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let length = lines.len() as u64;
        if !self.segments.back().is_some_and(|last| !last.sealed && last.size + length <= SEGMENT) {
            let segment = Segment { number: self.next_number, size: 0, lines: 0, sealed: false };
            self.next_number += 1;
            self.segments.push_back(segment);
        }
        let Some(last) = self.segments.back_mut() else { return Ok(()) };
        let path = path(&self.directory, last.number);
        let written = File::options().create(true).append(true).open(&path).and_then(|mut file| {
            // Half a line would spoil the rest.
            file.write_all(lines).inspect_err(|_| drop(file.set_len(last.size)))
        });
        match written {
            Ok(()) => {
                last.size += length;
                last.lines += count(lines);
            }
            Err(_) if last.size == 0 => {
                // Nothing is in it, and nothing must not be sent.
                let _removed = fs::remove_file(path);
                self.segments.pop_back();
            }
            // What it ends in may be half a line, if that could not be cut off.
            Err(_) => last.sealed = true,
        }
        written
    }
}

fn path(directory: &std::path::Path, number: u64) -> PathBuf {
    directory.join(format!("{number:016}.lines"))
}

fn count(lines: &[u8]) -> u64 {
    lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count() as u64
}

/// Cuts off half a line that a crash has left. Returns the size and the number of lines.
fn repair(path: &std::path::Path) -> io::Result<(u64, u64)> {
    let mut file = File::options().read(true).write(true).open(path)?;
    let mut lines = Vec::new();
    (&mut file).take(2 * SEGMENT).read_to_end(&mut lines)?;
    let whole = lines.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    file.set_len(whole as u64)?;
    lines.truncate(whole);
    Ok((whole as u64, count(&lines)))
}

#[cfg(test)]
mod tests;
