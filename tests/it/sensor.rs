//! A sensor that says exactly what a test wants said, well-formed or not, over a plain socket.
//!
//! A proper MQTT client hides what matters here: return codes, who closes, what is acknowledged.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::TcpStream,
    time::Duration,
};

/// A wrong token is answered late, and later each time.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the sensor speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// MQTT 3.1.1.
    V3,
    /// MQTT 5.
    V5,
}

/// What became of a publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// PUBACK with this reason code; 0 in MQTT 3.1.1, which has none.
    Acknowledged(u8),
    /// The connection was closed; MQTT 5 gives a reason before.
    Closed(Option<u8>),
}

/// A connected sensor.
pub(crate) struct Sensor {
    stream: TcpStream,
    version: Version,
    sent: u16,
}

impl Sensor {
    /// Connects; else the code of the CONNACK.
    pub(crate) fn connect(
        address: &str,
        version: Version,
        name: &str,
        token: &str,
    ) -> Result<Self, u8> {
        let stream = TcpStream::connect(address).expect("the listener listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a patience can be set");
        let mut body = text("MQTT");
        body.push(if version == Version::V5 { 5 } else { 4 });
        // User name, password, clean session; 60 s of keep-alive.
        body.extend([0b1100_0010, 0, 60]);
        if version == Version::V5 {
            body.push(0);
        }
        for field in [name, name, token] {
            body.extend(text(field));
        }
        let mut sensor = Self { stream, version, sent: 0 };
        sensor.write(0x10, &body).expect("CONNECT can be written");
        match sensor.read().expect("an answer to CONNECT") {
            Some((0x20, answer)) if answer[1] == 0 => Ok(sensor),
            Some((0x20, answer)) => Err(answer[1]),
            other => panic!("wanted CONNACK, found {other:02x?}"),
        }
    }

    /// Publishes at `QoS` 1 under the topic of `device` and waits for what happens.
    pub(crate) fn publish(&mut self, device: &str, payload: &[u8]) -> Answer {
        // A socket that the other side closed while we wrote still holds what it said before.
        let _ = self.send(device, payload);
        self.answer()
    }

    /// Publishes at `QoS` 1 to any topic and waits for what happens.
    pub(crate) fn publish_to(&mut self, topic: &str, payload: &[u8]) -> Answer {
        // As above.
        let _ = self.send_to(topic, payload);
        self.answer()
    }

    /// Publishes without waiting.
    pub(crate) fn send(&mut self, device: &str, payload: &[u8]) -> io::Result<()> {
        self.send_to(&format!("plotwise/v1/{device}/up"), payload)
    }

    fn send_to(&mut self, topic: &str, payload: &[u8]) -> io::Result<()> {
        self.sent = self.sent.checked_add(1).unwrap_or(1);
        let mut body = text(topic);
        body.extend(self.sent.to_be_bytes());
        if self.version == Version::V5 {
            body.push(0);
        }
        body.extend(payload);
        self.write(0x32, &body)
    }

    /// Waits for the next acknowledgement, or the end.
    pub(crate) fn answer(&mut self) -> Answer {
        match self.read() {
            Ok(Some((0x40, body))) => Answer::Acknowledged(body.get(2).copied().unwrap_or(0)),
            Ok(Some((0xe0, body))) => Answer::Closed(body.first().copied()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                panic!("neither acknowledged nor closed in {} s", PATIENCE.as_secs())
            }
            // Closed, or reset: what we still had to say was not wanted.
            Ok(None) | Err(_) => Answer::Closed(None),
            Ok(other) => panic!("wanted PUBACK, found {other:02x?}"),
        }
    }

    /// Counts acknowledgements until there were `at_most`, or the connection ends.
    pub(crate) fn acknowledged(&mut self, at_most: usize) -> usize {
        (0..at_most).take_while(|_| self.answer() == Answer::Acknowledged(0)).count()
    }

    /// The same connection for another thread, which only listens.
    pub(crate) fn listener(&self) -> Self {
        let stream = self.stream.try_clone().expect("a socket can be shared");
        Self { stream, version: self.version, sent: 0 }
    }

    fn write(&mut self, first: u8, body: &[u8]) -> io::Result<()> {
        let mut packet = vec![first];
        let mut length = body.len();
        loop {
            let low = u8::try_from(length % 128).expect("below 128");
            length /= 128;
            packet.push(if length > 0 { low | 0x80 } else { low });
            if length == 0 {
                break;
            }
        }
        packet.extend(body);
        self.stream.write_all(&packet)
    }

    /// The next packet: its first byte and its body; `None` at the end.
    fn read(&mut self) -> io::Result<Option<(u8, Vec<u8>)>> {
        let mut byte = [0];
        if self.stream.read(&mut byte)? == 0 {
            return Ok(None);
        }
        let first = byte[0];
        let (mut length, mut shift) = (0, 0);
        loop {
            self.stream.read_exact(&mut byte)?;
            length |= usize::from(byte[0] & 0x7f) << shift;
            shift += 7;
            if byte[0] & 0x80 == 0 {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(Some((first, body)))
    }
}

/// A string as MQTT writes it.
fn text(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).expect("a short text");
    [&length.to_be_bytes(), text.as_bytes()].concat()
}
