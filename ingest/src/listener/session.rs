//! One connection: socket, protocol and pipeline joined.

use std::{
    future::{Future, pending},
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use mqtt_protocol_core::mqtt::result_code::DisconnectReasonCode;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{sleep, sleep_until, timeout},
};

use super::{
    Shared,
    endpoint::{Context, End, Endpoint},
    stream::Stream,
    takeover::Place,
};
use crate::{
    pipeline::{Closed, Receipts},
    surroundings::stopped,
};

/// Bytes read at once; on the stack, so that an idle connection has none.
const READ_BYTES: usize = 16 << 10;

/// Messages of one connection that may wait for room in the pipeline, whatever their `QoS`.
const WAITING_MAX: usize = 4_096;

/// How long a client may take to take its acknowledgements.
const WRITE_PATIENCE: Duration = Duration::from_secs(30);

/// The same once the listener ends: with [`DRAIN_PATIENCE`] and [`LINGER`] within ten seconds.
const LAST_WRITE_PATIENCE: Duration = Duration::from_secs(1);

/// How long a connection that ends waits for the store.
const DRAIN_PATIENCE: Duration = Duration::from_secs(8);

/// How long to hear out a client that was told to go, so that it reads why.
const LINGER: Duration = Duration::from_millis(500);

/// A hand-over to the pipeline that waits for room.
type Submitting = Pin<Box<dyn Future<Output = Result<(), Closed>> + Send>>;

pub(super) struct Session {
    stream: Stream,
    peer: SocketAddr,
    shared: Arc<Shared>,
    endpoint: Endpoint,
    receipts: Receipts,
    acknowledged: u64,
    submitting: Option<Submitting>,
    /// Whether the window has been full since it was last read from.
    was_full: bool,
    /// Not read from before this moment.
    paused_until: Option<Instant>,
    /// To be heard from before this moment.
    silent_until: Option<Instant>,
    place: Option<Place>,
}

impl Session {
    pub(super) fn new(
        stream: Stream,
        peer: SocketAddr,
        shared: Arc<Shared>,
        is_full: bool,
    ) -> Self {
        let endpoint = Endpoint::new(shared.options, Arc::clone(&shared.counters), is_full);
        let patience = Duration::from_secs(shared.options.connect_within_s.into());
        Self {
            stream,
            peer,
            shared,
            endpoint,
            receipts: Receipts::default(),
            acknowledged: 0,
            submitting: None,
            was_full: false,
            paused_until: None,
            silent_until: Some(Instant::now() + patience),
            place: None,
        }
    }

    /// Serves the connection to its end.
    pub(super) async fn run(mut self) -> End {
        let mut shutdown = self.shared.surroundings.shutdown.clone();
        while self.endpoint.end.is_none() {
            self.hand_over();
            let may_read = self.may_read();
            tokio::select! {
                biased;
                () = stopped(&mut shutdown) => return self.shut_down().await,
                () = taken(self.place.as_ref()) => {
                    self.shared.counters.replaced();
                    self.endpoint.disconnect(DisconnectReasonCode::SessionTakenOver, End::TakenOver);
                }
                result = submitted(self.submitting.as_mut()) => {
                    self.submitting = None;
                    if !may_read {
                        // Its silence was ours.
                        self.heard();
                    }
                    if result.is_err() {
                        self.endpoint.disconnect(DisconnectReasonCode::ServerShuttingDown, End::ShuttingDown);
                    }
                }
                () = self.receipts.changed() => self.acknowledge(),
                ready = self.stream.readable(), if may_read => match ready {
                    Ok(()) => self.read(),
                    Err(error) => self.endpoint.end = Some(End::Io(error.kind())),
                },
                () = until(self.paused_until) => {
                    self.paused_until = None;
                    self.heard();
                }
                () = until(self.silent_until), if may_read => {
                    self.shared.counters.gave_up();
                    self.endpoint.disconnect(DisconnectReasonCode::KeepAliveTimeout, End::TimedOut);
                }
            }
            if self.endpoint.end.is_none() {
                self.flush().await;
            }
        }
        self.end().await
    }

    /// Whether there is room for more messages; where not, the socket fills up and the client waits.
    ///
    /// A client that knows its window is read from all the same: what it says then is a ping, or more
    /// than it may.
    fn may_read(&mut self) -> bool {
        let window = usize::from(self.shared.options.in_flight_max);
        let is_full = self.endpoint.in_flight() >= window && !self.endpoint.knows_its_window();
        if is_full && !self.was_full {
            self.shared.counters.refused_window();
        }
        self.was_full = is_full;
        self.paused_until.is_none() && !is_full && self.endpoint.intakes.len() < WAITING_MAX
    }

    /// Gives the pipeline what has come in, unless it still waits for room for what came before.
    fn hand_over(&mut self) {
        let is_empty = self.endpoint.intakes.is_empty() && self.endpoint.unsubmitted == 0;
        if is_empty || self.submitting.is_some() {
            return;
        }
        let intakes = std::mem::take(&mut self.endpoint.intakes);
        let messages = std::mem::take(&mut self.endpoint.unsubmitted);
        let receipts = Some((self.receipts.clone(), messages));
        let pipeline = self.shared.surroundings.pipeline.clone();
        self.submitting = Some(Box::pin(pipeline.submit(intakes, receipts)));
    }

    fn read(&mut self) {
        let mut buffer = [0; READ_BYTES];
        let count = match self.stream.try_read(&mut buffer) {
            Ok(0) => {
                self.endpoint.end = Some(End::ByPeer);
                return;
            }
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            Err(error) => {
                self.endpoint.end = Some(End::Io(error.kind()));
                return;
            }
        };
        let was_let_in = self.endpoint.client().is_some();
        let (messages, ignored) = (self.endpoint.messages, self.endpoint.ignored);
        let surroundings = &self.shared.surroundings;
        let directory = Arc::clone(&surroundings.directory.borrow());
        let context = Context {
            directory: &directory,
            decoders: &surroundings.decoders,
            received: surroundings.clock.now(),
        };
        self.endpoint.receive(&buffer[..count], &context);
        surroundings.pipeline.counters().ignore(self.endpoint.ignored - ignored);
        if !was_let_in {
            self.let_in();
        } else if self.endpoint.client().is_some() {
            self.heard();
        }
        self.keep_pace(self.endpoint.messages - messages);
    }

    /// What begins with a right CONNECT.
    fn let_in(&mut self) {
        let Some(client) = self.endpoint.client() else { return };
        self.shared.admission.succeeded(self.peer.ip());
        if let Some(id) = &client.id {
            self.place = Some(self.shared.takeover.take(client.device.as_str(), id));
        }
        self.heard();
    }

    fn heard(&mut self) {
        let patience = self.endpoint.client().and_then(|client| client.keep_alive);
        self.silent_until = patience.map(|patience| Instant::now() + patience);
    }

    fn keep_pace(&mut self, messages: u64) {
        let now = Instant::now();
        let device = self.endpoint.client().filter(|client| !client.is_gateway);
        let pause = device.and_then(|client| self.shared.paces.take(&client.device, messages, now));
        if let Some(pause) = pause {
            self.shared.counters.paused();
            self.paused_until = Some(now + pause);
        }
    }

    fn acknowledge(&mut self) {
        let could_read = self.may_read();
        let done = self.receipts.done();
        self.endpoint.acknowledge(done - self.acknowledged);
        self.acknowledged = done;
        if !could_read {
            // Its silence was ours.
            self.heard();
        }
    }

    async fn flush(&mut self) {
        if self.endpoint.out.is_empty() {
            return;
        }
        let mut shutdown = self.shared.surroundings.shutdown.clone();
        let ended = async {
            stopped(&mut shutdown).await;
            sleep(LAST_WRITE_PATIENCE).await;
        };
        let write = async {
            self.stream.write_all(&self.endpoint.out).await?;
            self.stream.flush().await
        };
        let write = timeout(WRITE_PATIENCE, write);
        let written = tokio::select! {
            biased;
            written = write => written.map_err(|_| ()),
            () = ended => Err(()),
        };
        match written {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.endpoint.end = Some(End::Io(error.kind())),
            Err(()) => self.endpoint.end = Some(End::Io(io::ErrorKind::TimedOut)),
        }
        // A connection that is idle from now on keeps no buffer.
        self.endpoint.out = Vec::new();
    }

    /// Hands over what is left; `false` where the store took nothing in time.
    async fn drain(&mut self) -> bool {
        let by = tokio::time::Instant::now() + DRAIN_PATIENCE;
        loop {
            self.hand_over();
            if self.submitting.is_none() {
                return true;
            }
            let result = tokio::time::timeout_at(by, submitted(self.submitting.as_mut())).await;
            self.submitting = None;
            if !matches!(result, Ok(Ok(()))) {
                return false;
            }
        }
    }

    /// Stops reading, waits for the acknowledgements and says goodbye.
    async fn shut_down(mut self) -> End {
        let by = tokio::time::Instant::now() + DRAIN_PATIENCE;
        self.drain().await;
        while self.endpoint.in_flight() > 0 {
            if tokio::time::timeout_at(by, self.receipts.changed()).await.is_err() {
                break;
            }
            self.acknowledge();
        }
        self.endpoint.disconnect(DisconnectReasonCode::ServerShuttingDown, End::ShuttingDown);
        self.say_goodbye().await;
        End::ShuttingDown
    }

    async fn end(mut self) -> End {
        let end = self.endpoint.end.clone().unwrap_or(End::ByPeer);
        match &end {
            End::NotAuthorized => {
                let Some(_turn) = self.shared.admission.turn() else {
                    self.shared.counters.refused_silently();
                    return end;
                };
                let delay = self.shared.admission.failed(self.peer.ip(), Instant::now());
                let mut shutdown = self.shared.surroundings.shutdown.clone();
                tokio::select! {
                    () = sleep(delay) => {}
                    () = stopped(&mut shutdown) => {}
                }
            }
            End::Protocol(_) => self.shared.counters.broke_protocol(),
            _ => {}
        }
        let waiting = self.endpoint.intakes.len();
        if !self.drain().await {
            self.shared.counters.lost_message();
            let peer = self.peer;
            tracing::warn!(%peer, waiting, "messages of {peer}, {waiting} of them not even handed over, were not stored and not acknowledged");
        }
        self.say_goodbye().await;
        end
    }

    /// Writes what is left, closes, and reads on for a moment: a socket that is closed with bytes
    /// unread is reset, and the client would never see why.
    async fn say_goodbye(&mut self) {
        self.flush().await;
        if matches!(self.endpoint.end, Some(End::ByPeer | End::Io(_))) {
            return;
        }
        let linger = async {
            self.stream.shutdown().await?;
            let mut rest = [0; 512];
            let mut count = 0;
            while count < READ_BYTES {
                match self.stream.read(&mut rest).await? {
                    0 => break,
                    read => count += read,
                }
            }
            Ok::<_, io::Error>(())
        };
        // Whether the client heard is its own affair.
        let _ = timeout(LINGER, linger).await;
    }
}

async fn taken(place: Option<&Place>) {
    match place {
        Some(place) => place.taken().await,
        None => pending().await,
    }
}

async fn submitted(submitting: Option<&mut Submitting>) -> Result<(), Closed> {
    match submitting {
        Some(submitting) => submitting.await,
        None => pending().await,
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment.into()).await,
        None => pending().await,
    }
}
