//! Server-sent events out of the pieces in which they arrive (WHATWG HTML, 9.2.6), as far as our own
//! service writes them: `event:` and `data:`, comments, lines that end in LF.

use anyhow::bail;

/// Longest line; an observation has some hundred readings at most.
const LINE_BYTES_MAX: usize = 4 << 20;

/// One event.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) kind: String,
    pub(super) data: String,
}

/// What has arrived and is no whole event yet.
#[derive(Debug, Default)]
pub(super) struct Events {
    line: Vec<u8>,
    event: Event,
}

impl Events {
    /// The events that `bytes` complete.
    pub(super) fn read(&mut self, bytes: &[u8]) -> anyhow::Result<Vec<Event>> {
        let mut events = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if self.line.len() > LINE_BYTES_MAX {
                bail!(
                    "found a line of more than {LINE_BYTES_MAX} bytes, wanted server-sent events"
                );
            }
            if piece.ends_with(b"\n") {
                let line = String::from_utf8(std::mem::take(&mut self.line))?;
                events.extend(self.line(line.trim_end()));
            }
        }
        Ok(events)
    }

    /// An empty line ends an event; one without data is none.
    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return Some(event).filter(|event| !event.data.is_empty());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.kind),
            "data" => self.event.data.push_str(value),
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_arrive_in_any_pieces() {
        let stream =
            "event: observation\ndata: {\"a\":1}\n\n:\n\nevent:lagged\ndata:{\"missed\":2}\n\ndata";
        let wanted = [("observation", "{\"a\":1}"), ("lagged", "{\"missed\":2}")];
        for size in 1..stream.len() {
            let mut events = Events::default();
            let read: Vec<Event> = stream
                .as_bytes()
                .chunks(size)
                .flat_map(|piece| events.read(piece).unwrap())
                .collect();
            let read: Vec<_> =
                read.iter().map(|one| (one.kind.as_str(), one.data.as_str())).collect();
            assert_eq!(read, wanted, "pieces of {size}");
        }
    }

    #[test]
    fn a_line_without_an_end_is_no_stream_of_events() {
        let mut events = Events::default();
        assert!(events.read(&vec![b'x'; LINE_BYTES_MAX + 1]).is_err());
    }
}
