//! One sender: its connections, one after the other, and what it still has to send.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::watch,
    time::{Instant, sleep, sleep_until, timeout_at},
};

use super::{
    Messages, Outgoing, PublishError, PublishOptions, PublishReport, Receipt, Sender,
    latency::Latencies,
    packet::{self, Answer},
    window::Window,
};
use crate::surroundings::stopped;

/// Bytes that are made before they are written: some hundreds of messages.
const BATCH_BYTES: usize = 64 << 10;

/// Bytes of acknowledgements that are read at a time: a thousand of them.
const READ_BYTES: usize = 4 << 10;

/// First and longest pause before connecting again.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// What is promised to the other side: it hangs up after half as long again without a word.
const KEEP_ALIVE_S: u16 = 20;

/// How long to be silent before a ping.
const SILENCE: Duration = Duration::from_secs(10);

/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// What all senders have done.
#[derive(Debug, Default)]
pub(super) struct Tally {
    sent: AtomicU64,
    acknowledged: AtomicU64,
    /// From the start to the last acknowledgement, microseconds.
    last: AtomicU64,
    latencies: Latencies,
}

impl Tally {
    pub(super) fn report(&self) -> PublishReport {
        let acknowledged = self.acknowledged.load(Relaxed);
        let seconds = Duration::from_micros(self.last.load(Relaxed)).as_secs_f64();
        PublishReport {
            sent: self.sent.load(Relaxed),
            acknowledged,
            seconds,
            per_second: if seconds > 0.0 { acknowledged as f64 / seconds } else { 0.0 },
            p50_ms: self.latencies.percentile_ms(0.5),
            p99_ms: self.latencies.percentile_ms(0.99),
        }
    }
}

struct Progress<'s> {
    messages: Box<dyn Messages>,
    /// Taken from `messages` and not yet sent; `None` once there are no more.
    next: Option<Outgoing>,
    window: Window,
    receipt: Option<Receipt>,
    tally: &'s Tally,
    start: Instant,
    last: Instant,
}

enum Ended {
    Done,
    Lost(String),
    NotAuthorized,
}

impl From<std::io::Error> for Ended {
    fn from(error: std::io::Error) -> Self {
        Self::Lost(error.to_string())
    }
}

impl From<packet::Strange> for Ended {
    fn from(error: packet::Strange) -> Self {
        Self::Lost(error.to_string())
    }
}

pub(super) async fn send_all(
    options: &PublishOptions,
    sender: Sender,
    start: Instant,
    tally: &Tally,
    mut stop: watch::Receiver<bool>,
) -> Result<(), PublishError> {
    let Sender { client_id, credentials, messages } = sender;
    let name_and_password =
        credentials.as_ref().map(|(name, password)| (name.as_str(), password.reveal()));
    let hello = packet::connect(&client_id, name_and_password, KEEP_ALIVE_S);
    let mut progress = Progress {
        messages,
        next: Some(Outgoing::default()),
        window: Window::new(options.window),
        receipt: options.receipt.clone(),
        tally,
        start,
        last: Instant::now(),
    };
    progress.take_next();
    let mut pause = PAUSE.0;
    loop {
        let before = progress.last;
        let ended = tokio::select! {
            () = stopped(&mut stop) => return Ok(()),
            ended = progress.connection(&hello, options) => ended,
        };
        let address = format!("{}:{}", options.host, options.port);
        let reason = match ended {
            Ended::Done => return Ok(()),
            Ended::NotAuthorized => {
                let user = credentials.map(|(name, _)| name).unwrap_or_default();
                return Err(PublishError::NotAuthorized { address, user });
            }
            Ended::Lost(reason) => reason,
        };
        if progress.last > before {
            pause = PAUSE.0;
        }
        if progress.stuck_for() > options.patience {
            let (patience_s, waiting) = (options.patience.as_secs(), progress.window.len());
            return Err(PublishError::NoProgress {
                address,
                client_id,
                reason,
                patience_s,
                waiting,
            });
        }
        tracing::debug!(client_id, reason, "{client_id} connects again: {reason}");
        tokio::select! {
            () = stopped(&mut stop) => return Ok(()),
            () = sleep(pause) => {}
        }
        pause = (pause * 2).min(PAUSE.1);
    }
}

impl Progress<'_> {
    fn take_next(&mut self) {
        if !self.next.as_mut().is_some_and(|next| self.messages.fill(next)) {
            self.next = None;
        }
    }

    /// When the next message may go out.
    fn due(&self) -> Option<Instant> {
        self.next.as_ref().map(|next| self.start + next.due)
    }

    /// How long something has waited without one acknowledgement; nothing while all that was due is
    /// acknowledged, however long the next one is not.
    fn stuck_for(&self) -> Duration {
        let since = self.window.oldest().or(self.due()).map(|since| since.max(self.last));
        since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Sends what waits, then what follows, until all is acknowledged or the connection is lost.
    async fn connection(&mut self, hello: &[u8], options: &PublishOptions) -> Ended {
        let patience = Instant::now() + options.patience;
        let connecting = timeout_at(patience, connect(hello, options)).await;
        let mut stream = match connecting {
            Ok(Ok(stream)) => stream,
            Ok(Err(ended)) => return ended,
            Err(_) => return Ended::Lost("no answer to a connection".to_owned()),
        };
        match self.exchange(&mut stream, options).await {
            Ok(()) => {
                // Everything is acknowledged: whether the goodbye arrives matters to nobody.
                let goodbye = async {
                    stream.write_all(&packet::DISCONNECT).await?;
                    stream.shutdown().await
                };
                let _ = timeout_at(Instant::now() + GOODBYE, goodbye).await;
                Ended::Done
            }
            Err(ended) => ended,
        }
    }

    async fn exchange(
        &mut self,
        stream: &mut TcpStream,
        options: &PublishOptions,
    ) -> Result<(), Ended> {
        let (mut reading, mut writing) = stream.split();
        let (mut out, mut written, mut input) = (Vec::new(), 0, Vec::new());
        self.window.send_again(&mut out);
        let mut silent_since = Instant::now();
        loop {
            let now = Instant::now();
            if written == out.len() {
                out.clear();
                written = 0;
                self.fill(&mut out, now);
            }
            if self.next.is_none() && self.window.len() == 0 && now >= self.last + options.hold {
                return Ok(());
            }
            let (due, is_idle) = self.wake(now, silent_since, options);
            input.reserve(READ_BYTES);
            tokio::select! {
                biased;
                heard = reading.read_buf(&mut input) => {
                    if heard? == 0 {
                        return Err(Ended::Lost("the connection ended".to_owned()));
                    }
                    self.hear(&mut input)?;
                }
                sent = writing.write(&out[written..]), if written < out.len() => {
                    written += sent?;
                    silent_since = Instant::now();
                }
                () = sleep_until(due) => {
                    if self.stuck_for() > options.patience {
                        // A connection that is open and silent is as good as none.
                        return Err(Ended::Lost("no acknowledgement came".to_owned()));
                    }
                    if is_idle && written == out.len() {
                        out.extend(packet::PING);
                    }
                }
            }
        }
    }

    /// When to look again although nothing was heard, and whether that is for a ping.
    fn wake(
        &self,
        now: Instant,
        silent_since: Instant,
        options: &PublishOptions,
    ) -> (Instant, bool) {
        let mut wake = (silent_since + SILENCE).max(now);
        let mut is_idle = true;
        let mut at = |moment: Instant| {
            if moment < wake {
                (wake, is_idle) = (moment, false);
            }
        };
        if let Some(due) = self.due().filter(|due| *due > now && !self.window.is_full()) {
            at(due);
        }
        if let Some(oldest) = self.window.oldest() {
            at((oldest.max(self.last) + options.patience).max(now));
        } else if self.next.is_none() {
            at((self.last + options.hold).max(now));
        }
        (wake, is_idle)
    }

    /// Appends what is due and has room in the window.
    fn fill(&mut self, out: &mut Vec<u8>, now: Instant) {
        let mut sent = 0;
        while out.len() < BATCH_BYTES && !self.window.is_full() {
            let Some(next) = self.next.as_ref().filter(|next| self.start + next.due <= now) else {
                break;
            };
            self.window.send(next, now, out);
            sent += 1;
            self.take_next();
        }
        self.tally.sent.fetch_add(sent, Relaxed);
    }

    /// Takes in what is complete of `input` and leaves the rest.
    fn hear(&mut self, input: &mut Vec<u8>) -> Result<(), packet::Strange> {
        let now = Instant::now();
        let mut acknowledged = 0;
        // Messages that were sent together are mostly acknowledged together.
        let mut alike = (now, 0);
        let mut rest = &input[..];
        let mut receipt = self.receipt.as_ref().map(Receipt::lock);
        while let Some(answer) = packet::next(&mut rest)? {
            let Answer::Acknowledged(id) = answer else { continue };
            let Some((since, packet)) = self.window.acknowledge(id) else { continue };
            if let Some(receipt) = &mut receipt {
                let (topic, payload) = packet::content(packet);
                receipt(topic, payload);
            }
            acknowledged += 1;
            if since != alike.0 {
                self.tally.latencies.note(now - alike.0, alike.1);
                alike = (since, 0);
            }
            alike.1 += 1;
        }
        drop(receipt);
        let left = rest.len();
        input.drain(..input.len() - left);
        if acknowledged > 0 {
            self.tally.latencies.note(now - alike.0, alike.1);
            self.tally.acknowledged.fetch_add(acknowledged, Relaxed);
            let took = u64::try_from((now - self.start).as_micros()).unwrap_or(u64::MAX);
            self.tally.last.fetch_max(took, Relaxed);
            self.last = now;
            self.window.advance();
        }
        Ok(())
    }
}

/// Connects and waits to be let in.
async fn connect(hello: &[u8], options: &PublishOptions) -> Result<TcpStream, Ended> {
    let mut stream = TcpStream::connect((options.host.as_str(), options.port)).await?;
    // Batches are made here; waiting for more would only delay them.
    stream.set_nodelay(true)?;
    stream.write_all(hello).await?;
    let mut answer = [0; 4];
    let read = stream.read_exact(&mut answer).await;
    read.map_err(|error| Ended::Lost(format!("not let in: {error}")))?;
    match packet::next(&mut &answer[..])? {
        Some(Answer::Connected(0)) => Ok(stream),
        // Bad user name or password, not authorised (3.2.2.3).
        Some(Answer::Connected(4 | 5)) => Err(Ended::NotAuthorized),
        Some(Answer::Connected(code)) => Err(Ended::Lost(format!("not let in: code {code}"))),
        _ => Err(Ended::Lost("not let in: no answer to CONNECT".to_owned())),
    }
}
