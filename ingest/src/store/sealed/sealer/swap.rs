//! The one transaction of a step: rows and old blocks out, new blocks in.

use rusqlite::{Connection, TransactionBehavior, params};

use super::{
    super::directory,
    plan::{self, Plan},
};
use crate::store::{StoreError, week_of};

/// Carries a plan out; `false` where rows or blocks changed since it was made, and nothing is done.
pub(super) fn swap(connection: &mut Connection, plan: &Plan) -> Result<bool, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let is_untouched = plan::data_version(&transaction)? == plan.data_version;
    if !is_untouched && !is_as_planned(&transaction, plan)? {
        return Ok(false);
    }
    exchange(&transaction, plan)?;
    // Durability: rows and blocks change hands here, in one step for whoever reads and for a crash.
    transaction.commit()?;
    Ok(true)
}

fn is_as_planned(connection: &Connection, plan: &Plan) -> Result<bool, StoreError> {
    let first_ms = plan.new.first().map(|(block, _)| block.key.first_ms);
    let last_ms = plan.new.last().map(|(block, _)| block.key.last_ms);
    let Some(span) = first_ms.zip(last_ms) else { return Ok(false) };
    let blocks = directory::overlapping(connection, plan.device, span)?;
    Ok(blocks == plan.old && plan::is_unchanged(connection, plan)?)
}

/// Rows and old blocks out, new blocks in.
pub(super) fn exchange(connection: &Connection, plan: &Plan) -> Result<(), StoreError> {
    for entry in &plan.old {
        directory::delete(connection, entry)?;
    }
    let mut statement = connection.prepare_cached(
        "delete from observation where week = ? and device = ? and time_ms between ? and ?",
    )?;
    let (first_ms, last_ms) = plan.span;
    for week in week_of(first_ms)..=week_of(last_ms) {
        statement.execute(params![week, plan.device, first_ms, last_ms])?;
    }
    for (block, beside) in &plan.new {
        directory::insert(connection, block, *beside)?;
    }
    Ok(())
}
