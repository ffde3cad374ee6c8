//! Without a broker, or with one that does as it is told; with a real one, see the tests of the whole.

mod epochs;

use std::time::Duration;

use plotwise_config::{
    id::CooperativeId,
    settings::{Decoder, LinkSettings, LinkTls, Subscription},
};

use super::{Link, LinkError, PAUSE_MAX, PAUSE_MIN};

fn settings(url: &str, filter: &str) -> LinkSettings {
    LinkSettings {
        url: url.to_owned(),
        client_id: "plotwise-1".to_owned(),
        username: None,
        password: None,
        tls: None,
        cooperatives: vec![CooperativeId::parse("ningxiang").unwrap()],
        share: Some("plotwise".to_owned()),
        subscriptions: vec![Subscription { filter: filter.to_owned(), decoder: Decoder::Native }],
    }
}

#[test]
fn a_group_shares_the_filter() {
    let link = Link::new(&settings("mqtt://broker:1884", "plotwise/v1/+/up")).unwrap();
    assert_eq!(link.name(), "plotwise-1@broker:1884");
    let paths: Vec<String> = link.filters().map(|filter| filter.path).collect();
    assert_eq!(paths, ["$share/plotwise/plotwise/v1/+/up"]);
}

#[test]
fn an_address_or_filter_that_cannot_work_is_refused() {
    let other = Link::new(&settings("http://broker", "plotwise/v1/+/up")).unwrap_err();
    assert!(matches!(other, LinkError::Url { .. }));
    let anybody = Link::new(&settings("mqtt://broker", "#")).unwrap_err();
    assert!(matches!(anybody, LinkError::Filter(_)));
}

#[test]
fn an_authority_that_is_not_there_is_refused_at_once() {
    let mut settings = settings("mqtts://broker", "plotwise/v1/+/up");
    settings.tls = Some(LinkTls { ca: Some("no/such/ca.pem".into()), ..LinkTls::default() });
    let error = Link::new(&settings).unwrap_err();
    assert!(matches!(error, LinkError::Tls(_)));
    assert!(error.to_string().contains("no/such/ca.pem cannot be read"), "{error}");
}

#[test]
fn pauses_grow_and_end_at_a_minute() {
    let link = Link::new(&settings("mqtt://broker", "plotwise/v1/+/up")).unwrap();
    let pauses: Vec<Duration> = (0..20).map(|failures| link.pause(failures)).collect();
    assert!(pauses[0] >= PAUSE_MIN / 2 && pauses[0] <= PAUSE_MIN);
    assert!(pauses[19] >= PAUSE_MAX / 2 && pauses[19] <= PAUSE_MAX);
    assert!(pauses[4] > pauses[0]);
}
