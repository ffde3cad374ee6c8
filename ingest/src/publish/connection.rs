//! One sender: its connections, one after the other, and what it still has to send.

use std::{
    collections::VecDeque,
    iter::Peekable,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, MqttOptions,
    Outgoing as Sent, Packet, QoS,
};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{Outgoing, PublishError, PublishOptions, PublishReport, Sender, latency::Latencies};
use crate::{surroundings::stopped, task::AbortOnDrop};

/// Messages that wait in the client's own channel, beside the window.
const CHANNEL: usize = 64;

/// First and longest pause before connecting again.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// Packets that this side refuses: it only receives small ones.
const PACKET_BYTES_MAX: usize = 16 << 20;

/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// What all senders have done.
#[derive(Debug, Default)]
pub(super) struct Tally {
    sent: AtomicU64,
    acknowledged: AtomicU64,
    latencies: Latencies,
}

impl Tally {
    pub(super) fn report(&self, took: Duration) -> PublishReport {
        let acknowledged = self.acknowledged.load(Relaxed);
        let seconds = took.as_secs_f64();
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

/// What was sent and is not acknowledged yet.
struct Waiting {
    message: Outgoing,
    since: Instant,
    is_acknowledged: bool,
}

struct Progress<'s> {
    messages: Peekable<Box<dyn Iterator<Item = Outgoing> + Send>>,
    waiting: VecDeque<Waiting>,
    tally: &'s Tally,
    start: Instant,
    last: Instant,
}

enum Ended {
    Done,
    Lost(String),
    NotAuthorized,
}

/// What the polling task has to say.
enum News {
    /// The n-th message of this connection is acknowledged.
    Acknowledged(usize),
    Lost(String),
    NotAuthorized,
}

pub(super) async fn send_all(
    options: &PublishOptions,
    sender: Sender,
    start: Instant,
    tally: &Tally,
    mut stop: watch::Receiver<bool>,
) -> Result<(), PublishError> {
    let Sender { client_id, credentials, messages } = sender;
    let mut mqtt = MqttOptions::new(&client_id, &options.host, options.port);
    mqtt.set_inflight(options.window.max(1))
        .set_keep_alive(Duration::from_secs(20))
        .set_max_packet_size(PACKET_BYTES_MAX, PACKET_BYTES_MAX);
    if let Some((name, password)) = &credentials {
        mqtt.set_credentials(name, password.reveal());
    }
    let messages = messages.peekable();
    let mut progress =
        Progress { messages, waiting: VecDeque::new(), tally, start, last: Instant::now() };
    let mut pause = PAUSE.0;
    loop {
        let before = progress.last;
        let ended = tokio::select! {
            () = stopped(&mut stop) => return Ok(()),
            ended = progress.connection(mqtt.clone(), options) => ended,
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
            let (patience_s, waiting) = (options.patience.as_secs(), progress.waiting.len());
            return Err(PublishError::NoProgress {
                address,
                client_id,
                reason,
                patience_s,
                waiting,
            });
        }
        tracing::debug!(client_id, reason, "{client_id} connects again: {reason}");
        sleep(pause).await;
        pause = (pause * 2).min(PAUSE.1);
    }
}

impl Progress<'_> {
    /// How long messages have waited without one acknowledgement; nothing while all that was due is
    /// acknowledged, however long the next one is not.
    fn stuck_for(&self) -> Duration {
        let since = self.waiting.front().map(|waiting| waiting.since.max(self.last));
        since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Sends what waits, then what follows, until all is acknowledged or the connection is lost.
    async fn connection(&mut self, mqtt: MqttOptions, options: &PublishOptions) -> Ended {
        let (client, events) = AsyncClient::new(mqtt, CHANNEL);
        let (sender, mut news) = mpsc::unbounded_channel();
        let mut polling = AbortOnDrop::spawn(poll(events, sender));
        self.waiting.retain(|waiting| !waiting.is_acknowledged);
        // Messages of this connection before the front of the queue.
        let mut gone = 0;
        let mut again = 0;
        let window = usize::from(options.window.max(1));
        loop {
            let now = Instant::now();
            let due = if again < self.waiting.len() {
                Some(now)
            } else {
                self.messages.peek().map(|message| self.start + message.due)
            };
            if due.is_none() && self.waiting.is_empty() {
                goodbye(&client, &mut polling).await;
                return Ended::Done;
            }
            let may_send =
                due.filter(|_| again < self.waiting.len() || self.waiting.len() < window);
            if may_send.is_some_and(|due| due <= now) && news.is_empty() {
                if self.send(&client, &mut again, now).await.is_err() {
                    // The polling task has ended and said why.
                    if let Some(ended) = self.last_words(&mut news, &mut gone, &mut again).await {
                        return ended;
                    }
                }
                continue;
            }
            tokio::select! {
                biased;
                heard = news.recv() => {
                    if let Some(ended) = self.hear(heard, &mut gone, &mut again) {
                        return ended;
                    }
                }
                () = sleep_until(may_send.unwrap_or(now)), if may_send.is_some() => {}
                // A connection that is open and silent is as good as none.
                () = sleep_until(self.last.max(now) + options.patience), if !self.waiting.is_empty() => {
                    return Ended::Lost("no acknowledgement came".to_owned());
                }
            }
        }
    }

    /// Sends the next message, or the next of those that were sent before.
    async fn send(
        &mut self,
        client: &AsyncClient,
        again: &mut usize,
        now: Instant,
    ) -> Result<(), rumqttc::ClientError> {
        if *again == self.waiting.len() {
            let Some(message) = self.messages.next() else { return Ok(()) };
            self.tally.sent.fetch_add(1, Relaxed);
            self.waiting.push_back(Waiting { message, since: now, is_acknowledged: false });
        }
        let message = &self.waiting[*again].message;
        *again += 1;
        client.publish(&message.topic, QoS::AtLeastOnce, false, message.payload.clone()).await
    }

    /// Hears the polling task out after it has ended.
    async fn last_words(
        &mut self,
        news: &mut mpsc::UnboundedReceiver<News>,
        gone: &mut usize,
        again: &mut usize,
    ) -> Option<Ended> {
        loop {
            let heard = news.recv().await;
            let ended = self.hear(heard, gone, again);
            if ended.is_some() {
                return ended;
            }
        }
    }

    fn hear(&mut self, heard: Option<News>, gone: &mut usize, again: &mut usize) -> Option<Ended> {
        let number = match heard {
            Some(News::Acknowledged(number)) => number,
            Some(News::Lost(reason)) => return Some(Ended::Lost(reason)),
            Some(News::NotAuthorized) => return Some(Ended::NotAuthorized),
            None => return Some(Ended::Lost("the connection ended".to_owned())),
        };
        let now = Instant::now();
        let place = number.checked_sub(*gone);
        let waiting = place.and_then(|place| self.waiting.get_mut(place));
        if let Some(waiting) = waiting.filter(|waiting| !waiting.is_acknowledged) {
            waiting.is_acknowledged = true;
            self.tally.acknowledged.fetch_add(1, Relaxed);
            self.tally.latencies.note(now - waiting.since);
            self.last = now;
        }
        while self.waiting.front().is_some_and(|waiting| waiting.is_acknowledged) {
            self.waiting.pop_front();
            *gone += 1;
            *again = again.saturating_sub(1);
        }
        None
    }
}

/// Does nothing but poll; tells which message each acknowledgement is for.
async fn poll(mut events: EventLoop, news: mpsc::UnboundedSender<News>) {
    // Which message of this connection a packet id stands for.
    let mut numbers = vec![0; usize::from(u16::MAX) + 1];
    let mut sent = 0;
    loop {
        let told = match events.poll().await {
            Ok(Event::Outgoing(Sent::Publish(id))) => {
                numbers[usize::from(id)] = sent;
                sent += 1;
                continue;
            }
            Ok(Event::Incoming(Packet::PubAck(ack))) => {
                News::Acknowledged(numbers[usize::from(ack.pkid)])
            }
            Ok(Event::Outgoing(Sent::Disconnect)) => return,
            Ok(_) => continue,
            Err(ConnectionError::ConnectionRefused(
                ConnectReturnCode::NotAuthorized | ConnectReturnCode::BadUserNamePassword,
            )) => News::NotAuthorized,
            Err(error) => News::Lost(error.to_string()),
        };
        let is_last = !matches!(told, News::Acknowledged(_));
        if news.send(told).is_err() || is_last {
            return;
        }
    }
}

async fn goodbye(client: &AsyncClient, polling: &mut AbortOnDrop) {
    if client.try_disconnect().is_ok() {
        // Everything is acknowledged: whether the goodbye arrives matters to nobody.
        let _ = timeout(GOODBYE, polling.ended()).await;
    }
}
