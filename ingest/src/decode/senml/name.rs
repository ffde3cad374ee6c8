//! From a resolved name to a quantity and a depth.
//!
//! The last part of a name is the quantity's key; parts are separated by `/`, `:` or `-`. Where the last
//! part is a number it is a depth in metres, and the key stands before it: `@` is no character of a SenML
//! name (RFC 8428, 4.5.1). In a `urn:dev:` name the key may also follow a `_` (RFC 9039, 3.4).
//!
//! ```text
//! soil_moisture                     urn:dev:mac:0024befffe804ff1/soil_moisture/0.6
//! n-07:soil_moisture:0.6            urn:dev:ow:10e2073a01080063_soil_ph
//! ```

use plotwise_config::{
    catalogue::quantity::Quantity,
    reading::{DepthMm, QuantityNo},
};

use crate::decode::{quantities::Quantities, reading::parse_depth};

/// Longest name, bytes: a base name is repeated for every record.
pub(super) const NAME_BYTES_MAX: usize = 256;

const SEPARATORS: [char; 3] = ['/', ':', '-'];

/// What a name says.
pub(super) enum Named<'q, 'n> {
    /// A quantity, and a depth where one is written.
    Quantity { number: QuantityNo, quantity: &'q Quantity, depth: Option<DepthMm> },
    /// A quantity at a depth that is none.
    BadDepth(&'n str),
    /// No quantity; the part where it was looked for.
    Unknown(&'n str),
}

/// Whether RFC 8428, 4.5.1 allows the name.
pub(super) fn is_valid(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-:./_".contains(&byte))
}

/// What a valid name says; `device` may stand before it, with a separator or without.
pub(super) fn look_up<'q, 'n>(
    name: &'n str,
    device: &str,
    quantities: &'q Quantities,
) -> Named<'q, 'n> {
    let whole = parts(name, quantities);
    let own = name.strip_prefix(device).map(|own| own.trim_start_matches(SEPARATORS));
    match (whole, own) {
        (Named::Unknown(_), Some(own)) if !own.is_empty() => parts(own, quantities),
        (whole, _) => whole,
    }
}

fn parts<'q, 'n>(name: &'n str, quantities: &'q Quantities) -> Named<'q, 'n> {
    let (before, last) = name.rsplit_once(SEPARATORS).unwrap_or(("", name));
    let is_depth = !before.is_empty() && is_number(last);
    let key = if is_depth { last_part(before) } else { last };
    let found = quantities.find(key).or_else(|| component(name, key, quantities));
    let Some((number, quantity)) = found else { return Named::Unknown(key) };
    match is_depth.then(|| parse_depth(last)) {
        Some(None) => Named::BadDepth(last),
        depth => Named::Quantity { number, quantity, depth: depth.flatten() },
    }
}

fn last_part(name: &str) -> &str {
    name.rsplit(SEPARATORS).next().unwrap_or(name)
}

/// The key behind a `_` of a `urn:dev:` name, the longest that is one.
fn component<'q>(
    name: &str,
    part: &str,
    quantities: &'q Quantities,
) -> Option<(QuantityNo, &'q Quantity)> {
    if !name.starts_with("urn:dev:") {
        return None;
    }
    part.match_indices('_').find_map(|(place, _)| quantities.find(&part[place + 1..]))
}

fn is_number(part: &str) -> bool {
    let (whole, rest) = part.split_once('.').unwrap_or((part, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_digits(whole) && is_digits(rest)
}
