//! How commands print results: aligned for people, JSON or CSV for programs.

use std::io::{self, Write};

use clap::ValueEnum;
use serde::Serialize;

/// How a result is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned text for people.
    #[default]
    Table,
    /// JSON for programs.
    Json,
}

/// How a list is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// Aligned text for people.
    #[default]
    Table,
    /// JSON for programs.
    Json,
    /// CSV for spreadsheets, with a byte-order mark so that they read Chinese.
    Csv,
}

/// A list with its column heads; cells are text.
pub(super) struct Table<'a> {
    pub(super) heads: &'a [&'a str],
    pub(super) rows: Vec<Vec<String>>,
}

impl Table<'_> {
    /// Prints in the asked format; `items` are the same rows as JSON.
    pub(super) fn print(&self, format: ListFormat, items: &impl Serialize) -> io::Result<()> {
        match format {
            ListFormat::Table => self.print_aligned(),
            ListFormat::Json => print_json(items),
            ListFormat::Csv => self.print_csv(),
        }
    }

    fn print_aligned(&self) -> io::Result<()> {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| shown_width(&row[column]));
            cells.chain([shown_width(self.heads[column])]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.heads.len()).map(width).collect();
        let mut out = io::stdout().lock();
        let heads: Vec<String> = self.heads.iter().map(|&head| head.to_owned()).collect();
        for row in std::iter::once(&heads).chain(&self.rows) {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                line.push_str(cell);
                line.extend(std::iter::repeat_n(' ', width - shown_width(cell) + 2));
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    fn print_csv(&self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all("\u{feff}".as_bytes())?;
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record(self.heads)?;
        for row in &self.rows {
            csv.write_record(row)?;
        }
        csv.flush()
    }
}

/// Columns that a terminal gives the text: Chinese characters take two.
fn shown_width(text: &str) -> usize {
    text.chars().map(|c| if ('\u{1100}'..='\u{ffe6}').contains(&c) { 2 } else { 1 }).sum()
}

/// Prints one value as indented JSON.
pub(super) fn print_json(value: &impl Serialize) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value)?;
    writeln!(out)
}
