//! What a certificate says: for whom it is, from when to when.

use std::{fmt, net::IpAddr};

use jiff::{SignedDuration, Timestamp};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

/// A certificate that ends sooner is one to see to.
const ENDS_SOON: SignedDuration = SignedDuration::from_hours(14 * 24);

/// What matters of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Holds from then on.
    pub from: Timestamp,
    /// And until then.
    pub until: Timestamp,
    /// Host names and addresses that it is for.
    pub names: Vec<String>,
}

/// How a certificate stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// It holds, and will for at least two weeks.
    Holds,
    /// It holds, not for long.
    EndsSoon,
    /// Not yet: or the clock is wrong.
    NotYet,
    /// No longer.
    Ended,
}

impl Certificate {
    /// Reads it from DER; `None` where that is none.
    pub(super) fn parse(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let validity = certificate.validity();
        let names = certificate.subject_alternative_name().ok().flatten();
        let names = names.map(|names| names.value.general_names.iter().filter_map(name).collect());
        Some(Self {
            from: Timestamp::from_second(validity.not_before.timestamp()).ok()?,
            until: Timestamp::from_second(validity.not_after.timestamp()).ok()?,
            names: names.unwrap_or_default(),
        })
    }

    /// How it stands at `now`.
    pub fn validity(&self, now: Timestamp) -> Validity {
        if now < self.from {
            Validity::NotYet
        } else if now >= self.until {
            Validity::Ended
        } else if self.until.duration_since(now) < ENDS_SOON {
            Validity::EndsSoon
        } else {
            Validity::Holds
        }
    }
}

impl fmt::Display for Certificate {
    /// `for plotwise.farm.example, 10.0.0.5, until 2027-01-31T12:00:00Z`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = if self.names.is_empty() { "nobody".to_owned() } else { self.names.join(", ") };
        write!(f, "for {names}, until {}", self.until)
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            let address = v4.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from));
            address.ok().map(|address| address.to_string())
        }
        _ => None,
    }
}
