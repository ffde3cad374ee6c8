//! How dead letters look on a terminal and to programs.

use std::{io::Write, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use plotwise_ingest::{
    intake::Sender,
    replay::Outcome,
    store::{LetterGroup, Retaken, StoredDeadLetter},
};
use serde_json::{Map, Value, json};

use super::super::output::{Format, ListFormat, Table, print_json};

pub(super) fn groups(groups: &[LetterGroup], format: ListFormat) -> anyhow::Result<()> {
    let items: Vec<Value> = groups
        .iter()
        .map(|group| {
            json!({
                "reason": group.reason.key(),
                "device": group.device,
                "topic": group.topic,
                "detail": group.detail,
                "count": group.count,
                "first": group.first,
                "last": group.last,
                "newest": group.newest,
            })
        })
        .collect();
    let rows = groups
        .iter()
        .map(|group| {
            vec![
                group.count.to_string(),
                group.reason.key().to_owned(),
                group.device.as_ref().map(ToString::to_string).unwrap_or_default(),
                group.topic.clone(),
                group.first.to_string(),
                group.last.to_string(),
                group.newest.to_string(),
                group.detail.clone(),
            ]
        })
        .collect();
    let heads = &["count", "reason", "device", "topic", "first", "last", "newest", "detail"];
    Table { heads, rows }.print(format, &items)?;
    Ok(())
}

pub(super) fn letters(letters: &[StoredDeadLetter], format: ListFormat) -> anyhow::Result<()> {
    let items: Vec<Value> = letters.iter().map(as_json).collect();
    let rows = letters
        .iter()
        .map(|stored| {
            let letter = &stored.letter;
            vec![
                stored.id.to_string(),
                letter.reason.key().to_owned(),
                letter.device.as_ref().map(ToString::to_string).unwrap_or_default(),
                letter.topic.clone(),
                letter.received.to_string(),
                letter.detail.clone(),
            ]
        })
        .collect();
    let heads = &["id", "reason", "device", "topic", "received", "detail"];
    Table { heads, rows }.print(format, &items)?;
    Ok(())
}

pub(super) fn letter(stored: &StoredDeadLetter, format: Format) -> anyhow::Result<()> {
    if format == Format::Json {
        print_json(&as_json(stored))?;
        return Ok(());
    }
    let letter = &stored.letter;
    let mut out = std::io::stdout().lock();
    writeln!(out, "reason    {}", letter.reason.key())?;
    writeln!(out, "detail    {}", letter.detail)?;
    writeln!(out, "topic     {}", letter.topic)?;
    writeln!(out, "received  {}", letter.received)?;
    if let Some(device) = &letter.device {
        writeln!(out, "device    {device}")?;
    }
    if let Some(sender) = &letter.sender {
        writeln!(out, "sender    {}", sender.to_text())?;
    }
    writeln!(out)?;
    out.write_all(&letter.payload)?;
    writeln!(out)?;
    Ok(())
}

fn as_json(stored: &StoredDeadLetter) -> Value {
    let letter = &stored.letter;
    json!({
        "id": stored.id,
        "reason": letter.reason.key(),
        "device": letter.device,
        "sender": letter.sender.as_ref().map(Sender::to_text),
        "topic": letter.topic,
        "received": letter.received,
        "detail": letter.detail,
        "payload": String::from_utf8_lossy(&letter.payload),
    })
}

pub(super) fn outcome(outcome: &Outcome) -> Value {
    let committed = outcome.replayed.committed;
    let left: Map<String, Value> = outcome
        .replayed
        .left
        .iter()
        .map(|(reason, letters)| (reason.key().to_owned(), (*letters).into()))
        .collect();
    json!({
        "done": outcome.replayed.done,
        "stored": committed.stored + committed.merged + committed.superseded,
        "left": left,
        "cut": outcome.cut,
        "unasked": outcome.unasked,
    })
}

pub(super) fn outcome_as_text(outcome: &Outcome) {
    let committed = outcome.replayed.committed;
    let stored = committed.stored + committed.merged + committed.superseded;
    println!(
        "{} dead letters are gone: {stored} observations stored, {} were there already.",
        outcome.replayed.done, committed.duplicate
    );
    for (reason, letters) in &outcome.replayed.left {
        println!("{letters} stay: {}", reason.key());
    }
    if outcome.cut > 0 {
        println!("{} hold the head of a message alone and cannot be replayed.", outcome.cut);
    }
    if outcome.unasked > 0 {
        println!(
            "{} are not_allowed or conflict: look at them and name the reason (--reason).",
            outcome.unasked
        );
    }
}

pub(super) fn retaken(retaken: &Retaken) -> Value {
    json!({
        "unchanged": retaken.unchanged,
        "changed": retaken.changed,
        "unreadable": retaken.unreadable,
        "example": retaken.example,
        "corrected": retaken.corrected,
        "conflicts": retaken.committed.conflict,
    })
}

pub(super) fn retaken_as_text(retaken: &Retaken) {
    let Retaken { unchanged, changed, unreadable, corrected, committed, example } = retaken;
    println!(
        "{changed} messages are read differently now and were corrected, {unchanged} as before."
    );
    if *unreadable > 0 {
        let example = example.as_deref().unwrap_or("nothing to store is found in them");
        println!(
            "{unreadable} cannot be read any more; what they said stays. One of them: {example}"
        );
    }
    if *corrected > 0 {
        println!("{corrected} readings were left as somebody corrected them.");
    }
    if committed.conflict > 0 {
        println!(
            "{} contradict what is stored: see plotwise deadletters list.",
            committed.conflict
        );
    }
}

/// How far a replay is; only on a terminal.
pub(super) fn progress() -> anyhow::Result<ProgressBar> {
    let bar = ProgressBar::new_spinner()
        .with_style(ProgressStyle::with_template("{spinner} {msg} {elapsed}")?);
    bar.enable_steady_tick(Duration::from_millis(200));
    Ok(bar)
}
