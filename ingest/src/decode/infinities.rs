//! `NaN`, `Infinity` and numbers that no double holds: not JSON, yet probes write them.

/// The payload with `NaN`, `Infinity` and numbers beyond a double as `null`; `None` where it has none.
pub(super) fn without_infinities(payload: &[u8]) -> Option<Vec<u8>> {
    let mut mended = Vec::with_capacity(payload.len() + 8);
    let mut is_mended = false;
    let mut at = 0;
    while at < payload.len() {
        let end = match payload[at] {
            b'"' => end_of_text(payload, at),
            byte if is_word(byte) => {
                let length = payload[at..].iter().position(|byte| !is_word(*byte));
                length.map_or(payload.len(), |length| at + length)
            }
            _ => at + 1,
        };
        let word = &payload[at..end];
        if is_infinite(word) {
            is_mended = true;
            mended.extend_from_slice(b"null");
        } else {
            mended.extend_from_slice(word);
        }
        at = end;
    }
    is_mended.then_some(mended)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

fn is_infinite(word: &[u8]) -> bool {
    let number = std::str::from_utf8(word).ok().and_then(|word| word.parse::<f64>().ok());
    number.is_some_and(|number| !number.is_finite())
}

/// The place after the text that begins at `start`.
fn end_of_text(payload: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < payload.len() {
        match payload[at] {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    // A text that never ends: the reader says so.
    payload.len()
}
