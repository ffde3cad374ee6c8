//! What the listener's connections do, for metrics.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

macro_rules! counters {
    ($( $(#[$doc:meta])* $name:ident, $count:ident; )*) => {
        /// Totals since the start, and how many connections there are.
        #[derive(Debug, Default)]
        pub struct ListenerCounters {
            open: AtomicU64,
            $( $name: AtomicU64, )*
        }

        impl ListenerCounters {
            $(
                $(#[$doc])*
                pub fn $name(&self) -> u64 {
                    self.$name.load(Relaxed)
                }

                pub(super) fn $count(&self) {
                    self.$name.fetch_add(1, Relaxed);
                }
            )*

            /// Every total with its name.
            pub fn totals(&self) -> Vec<(&'static str, u64)> {
                vec![$( (stringify!($name), self.$name()), )*]
            }
        }
    };
}

counters! {
    /// Connections that were accepted.
    connections, count_connection;
    /// TLS handshakes that failed or were not finished in time.
    tls_failures, failed_handshake;
    /// Wrong or missing credentials.
    not_authorized, refused_credentials;
    /// Connections closed without an answer because too many wrong credentials waited for theirs.
    unanswered, refused_silently;
    /// Connections over the limit.
    over_connections, refused_full;
    /// Packets over the size limit.
    too_large, refused_size;
    /// Publications for a device that is not the publisher's.
    not_allowed, refused_publication;
    /// Times that a connection was not read from because its device sent too fast.
    over_rate, paused;
    /// Times that a client had more messages in flight than it may: not read from in MQTT 3.1.1, ended
    /// in MQTT 5, where it was told.
    over_window, refused_window;
    /// Topic aliases above the limit or without a topic.
    wrong_alias, refused_alias;
    /// Publications at `QoS` 2.
    qos_2, refused_qos;
    /// Subscriptions.
    subscriptions, refused_subscription;
    /// Clients that were not heard from for too long, or said no CONNECT.
    timed_out, gave_up;
    /// Connections whose client id a newer one took.
    taken_over, replaced;
    /// Connections that broke the protocol.
    protocol_errors, broke_protocol;
    /// `QoS` 0 messages that were lost because the store took nothing until the end.
    lost, lost_message;
}

impl ListenerCounters {
    /// Connections at this moment.
    pub fn open(&self) -> u64 {
        self.open.load(Relaxed)
    }

    pub(super) fn connected(&self) {
        self.count_connection();
        self.open.fetch_add(1, Relaxed);
    }

    pub(super) fn disconnected(&self) {
        self.open.fetch_sub(1, Relaxed);
    }
}
