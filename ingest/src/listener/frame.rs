//! Where packets begin and end, known before they are read.
//!
//! The protocol machine refuses a packet that is too large as soon as it has seen its header, and its
//! bytes are gone. Following the borders here, the head of such a packet can be kept and the rest
//! hashed while it is skipped, so that somebody can see what a sensor tried to say.

use sha2::{Digest, Sha256};

/// Bytes kept of a packet that is too large.
const HEAD_KEPT: usize = 1024;

/// A larger packet is not even skipped.
const SKIPPED_MAX: usize = 16 << 20;

/// The largest CONNECT: name, token, and a will that nobody reads. Our choice: strangers shall not hold
/// as much memory as clients may.
const CONNECT_BYTES_MAX: usize = 4 << 10;

/// The longest fixed header: type and four bytes of length (MQTT 3.1.1, 2.2.3).
const HEADER_MAX: usize = 5;

/// Follows the borders of packets in a stream.
pub(super) struct Frame {
    packet_bytes_max: usize,
    skipped_max: usize,
    state: State,
}

enum State {
    /// Between packets, with what has come of the next one's header.
    Header([u8; HEADER_MAX], usize),
    /// Inside a packet, so many bytes before its end.
    Body(usize),
    /// Inside a packet that is too large.
    Skipped(Box<Skipped>),
    /// Nothing that follows can be told apart any more.
    Lost,
}

struct Skipped {
    left: usize,
    length: usize,
    head: Vec<u8>,
    hash: Sha256,
}

/// What the next bytes are.
pub(super) enum Piece<'b> {
    /// For the protocol machine.
    Packet(&'b [u8]),
    /// A header that came in parts, for the protocol machine.
    Header([u8; HEADER_MAX], usize),
    /// The end of a packet that is too large.
    TooLarge(TooLarge),
    /// Nothing more for now.
    None,
}

/// A packet over the limit.
#[derive(Debug)]
pub(super) struct TooLarge {
    /// Its first byte.
    pub(super) first: u8,
    /// Bytes after the fixed header.
    pub(super) length: usize,
    /// The first of them.
    pub(super) head: Vec<u8>,
    /// SHA-256 of all of them; `None` where there were too many to read.
    pub(super) sha256: Option<[u8; 32]>,
}

enum Header {
    Incomplete,
    Malformed,
    Complete { header: usize, body: usize },
}

impl Frame {
    /// For a stranger: a CONNECT is no long packet, and nothing of a longer one is worth reading.
    pub(super) fn new(packet_bytes_max: u32) -> Self {
        Self {
            packet_bytes_max: CONNECT_BYTES_MAX.min(packet_bytes_max as usize),
            skipped_max: 0,
            state: State::Header([0; HEADER_MAX], 0),
        }
    }

    /// From now on for a client that was let in.
    pub(super) fn let_in(&mut self, packet_bytes_max: u32) {
        self.packet_bytes_max = packet_bytes_max as usize;
        self.skipped_max = SKIPPED_MAX;
    }

    /// Takes the next piece off the front of `input`.
    pub(super) fn next<'b>(&mut self, input: &mut &'b [u8]) -> Piece<'b> {
        if input.is_empty() {
            return Piece::None;
        }
        match &mut self.state {
            State::Header(..) => self.header(input),
            State::Body(left) => {
                let take = (*left).min(input.len());
                *left -= take;
                if *left == 0 {
                    self.state = State::Header([0; HEADER_MAX], 0);
                }
                Piece::Packet(split(input, take))
            }
            State::Skipped(_) => self.skip(input),
            State::Lost => Piece::Packet(split(input, input.len())),
        }
    }

    fn header<'b>(&mut self, input: &mut &'b [u8]) -> Piece<'b> {
        let State::Header(known, count) = &mut self.state else { return Piece::None };
        let had = *count;
        let added = (HEADER_MAX - had).min(input.len());
        known[had..had + added].copy_from_slice(&input[..added]);
        let known = *known;
        match read_header(&known[..had + added]) {
            Header::Incomplete => {
                *count = had + added;
                split(input, added);
                Piece::None
            }
            Header::Malformed => {
                self.state = State::Lost;
                split(input, added);
                Piece::Header(known, had + added)
            }
            Header::Complete { header, body } if header + body > self.packet_bytes_max => {
                split(input, header - had);
                let skipped =
                    Skipped { left: body, length: body, head: vec![known[0]], hash: Sha256::new() };
                self.state = State::Skipped(Box::new(skipped));
                self.skip(input)
            }
            Header::Complete { header, body } => {
                self.state =
                    if body == 0 { State::Header([0; HEADER_MAX], 0) } else { State::Body(body) };
                if had > 0 {
                    split(input, header - had);
                    return Piece::Header(known, header);
                }
                let take = (header + body).min(input.len());
                if let State::Body(left) = &mut self.state {
                    *left -= take - header;
                    if *left == 0 {
                        self.state = State::Header([0; HEADER_MAX], 0);
                    }
                }
                Piece::Packet(split(input, take))
            }
        }
    }

    fn skip<'b>(&mut self, input: &mut &'b [u8]) -> Piece<'b> {
        let State::Skipped(skipped) = &mut self.state else { return Piece::None };
        let take = skipped.left.min(input.len());
        let bytes = split(input, take);
        skipped.left -= take;
        // The head begins with the packet's first byte.
        let room = HEAD_KEPT + 1 - skipped.head.len().min(HEAD_KEPT + 1);
        skipped.head.extend_from_slice(&bytes[..room.min(bytes.len())]);
        skipped.hash.update(bytes);
        let is_unread = skipped.length > self.skipped_max;
        if skipped.left > 0 && !is_unread {
            return Piece::None;
        }
        let sha256 = (!is_unread).then(|| skipped.hash.clone().finalize().into());
        let head = skipped.head.split_off(1);
        let too_large = TooLarge { first: skipped.head[0], length: skipped.length, head, sha256 };
        self.state = if is_unread { State::Lost } else { State::Header([0; HEADER_MAX], 0) };
        Piece::TooLarge(too_large)
    }
}

fn split<'b>(input: &mut &'b [u8], at: usize) -> &'b [u8] {
    let (taken, rest) = input.split_at(at);
    *input = rest;
    taken
}

/// Reads packet type and remaining length (MQTT 3.1.1, 2.2.3; the same in MQTT 5, 1.5.5).
fn read_header(bytes: &[u8]) -> Header {
    let mut body = 0;
    for (place, byte) in bytes.iter().enumerate().skip(1) {
        body |= usize::from(byte & 0x7F) << (7 * (place - 1));
        if byte & 0x80 == 0 {
            return Header::Complete { header: place + 1, body };
        }
    }
    if bytes.len() == HEADER_MAX { Header::Malformed } else { Header::Incomplete }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packet(first: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first];
        let mut length = body.len();
        loop {
            let low = u8::try_from(length & 0x7F).unwrap();
            length >>= 7;
            bytes.push(if length > 0 { low | 0x80 } else { low });
            if length == 0 {
                break;
            }
        }
        bytes.extend_from_slice(body);
        bytes
    }

    /// What goes to the protocol machine, and what is too large, for a stream cut at `cuts`.
    fn follow(stream: &[u8], cuts: &[usize]) -> (Vec<u8>, Vec<TooLarge>) {
        let mut frame = Frame::new(200);
        frame.let_in(200);
        let (mut passed, mut large) = (Vec::new(), Vec::new());
        let mut start = 0;
        for cut in cuts.iter().map(|cut| cut % (stream.len() + 1)).chain([stream.len()]) {
            if cut < start {
                continue;
            }
            let mut input = &stream[start..cut];
            start = cut;
            while !input.is_empty() {
                match frame.next(&mut input) {
                    Piece::Packet(bytes) => passed.extend_from_slice(bytes),
                    Piece::Header(bytes, count) => passed.extend_from_slice(&bytes[..count]),
                    Piece::TooLarge(packet) => large.push(packet),
                    Piece::None => {}
                }
            }
        }
        (passed, large)
    }

    proptest! {
        #[test]
        fn cuts_in_the_stream_change_nothing(
            mut cuts in proptest::collection::vec(0_usize..2000, 0..30), size in 0_usize..197,
        ) {
            cuts.sort_unstable();
            let small = packet(0x30, &vec![7; size]);
            let large = packet(0x32, &[9; 1500]);
            let stream = [small.clone(), large, small.clone()].concat();
            let (passed, skipped) = follow(&stream, &cuts);
            prop_assert_eq!(passed, [small.clone(), small].concat());
            prop_assert_eq!(skipped.len(), 1);
            prop_assert_eq!((skipped[0].first, skipped[0].length), (0x32, 1500));
            prop_assert_eq!(&skipped[0].head, &vec![9; HEAD_KEPT]);
            prop_assert_eq!(skipped[0].sha256, Some(Sha256::digest([9; 1500]).into()));
        }

        #[test]
        fn garbage_never_panics(stream in proptest::collection::vec(any::<u8>(), 0..500)) {
            follow(&stream, &[3, 17, 100]);
        }
    }
}
