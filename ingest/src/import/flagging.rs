//! A file of readings with a column of quality flags added; everything else of it stays, byte for byte.
//!
//! ```text
//! wide: [device,]time,<quantity>[@depth],...,<anything>
//! long: [device,]time,quantity,value[,unit][,depth_m][,flags],<anything>
//! ```
//!
//! The file is all there is: soil moisture is judged by the frost and rain of the same device in the
//! same file, plateaus may be of any length, and the highest value is that of the series
//! ([`Extent::Whole`]). Rows may come in any order. Several flags of a row are joined by `;`. A wide row
//! has the flags of its first soil moisture column (of its first quantity where there is none) as they
//! are, and those of other columns behind the column's name: `D01;soil_temperature:S`.
//!
//! A column `flags` that is there already is written anew; of its codes `X` and `T` are kept.

mod rows;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use jiff::tz::TimeZone;
use plotwise_config::{
    catalogue::Catalogue,
    reading::{DepthMm, Flags},
};

use super::{errors::FileErrors, table::text_of};
use crate::flags::{self, Candidate, Context, Extent, Land, Range, Roles};
use rows::{Rows, Series};

/// What the file does not say.
#[derive(Clone, Debug)]
pub struct FlagOptions {
    /// The land it was measured on.
    pub land: Land,
    /// Depth of soil readings that have none of their own.
    pub depth: Option<DepthMm>,
    /// Zone of times that carry none. Only spacings matter here, so any zone without a change of clocks
    /// does.
    pub timezone: TimeZone,
}

/// A file and the flags of its readings.
#[derive(Debug)]
pub struct FlaggedFile<'a> {
    bytes: &'a [u8],
    rows: Rows<'a>,
    /// Row, column (0 is the one whose codes stand bare) and flags, of flagged readings, in order.
    flagged: Vec<(u32, u16, Flags)>,
    readings: u64,
}

/// Judges every reading of a file.
///
/// # Errors
///
/// [`FileErrors`] with everything that is wrong with the file.
pub fn flag_readings<'a>(
    bytes: &'a [u8],
    options: &FlagOptions,
    catalogue: &Catalogue,
) -> Result<FlaggedFile<'a>, FileErrors> {
    let text = text_of(bytes)?;
    let (rows, mut series) = Rows::read(text, options, catalogue)?;
    series.values_mut().for_each(Series::sort);
    let roles = Roles::of(catalogue);
    for (key, one) in &mut series {
        if roles.is_companion(key.quantity) {
            let range = Range::of(catalogue.quantity(key.quantity));
            for reading in &mut one.readings {
                reading.flags = range.flag(reading.value, reading.flags);
            }
        }
    }
    let (mut flagged, mut of_series, mut readings) = (Vec::new(), Vec::new(), 0);
    for (key, one) in &series {
        let of_device = series.iter().filter(|(other, _)| other.device == key.device);
        let candidates: Vec<_> = of_device
            .map(|(other, one)| Candidate {
                quantity: other.quantity,
                depth: other.depth,
                rank: 0,
                readings: &one.readings,
            })
            .collect();
        let companions = roles.companions((key.quantity, key.depth), &candidates);
        let context = Context {
            quantity: catalogue.quantity(key.quantity),
            depth: key.depth,
            land: &options.land,
            companions: &companions,
            extent: Extent::Whole,
        };
        flags::flag(&one.readings, &context, &mut of_series);
        readings += one.readings.len() as u64;
        let cells = one.cells.iter().zip(&of_series);
        flagged.extend(
            cells
                .filter(|(_, flags)| **flags != Flags::NONE)
                .map(|((row, column), flags)| (*row, *column, *flags)),
        );
    }
    flagged.sort_unstable_by_key(|(row, column, _)| (*row, *column));
    Ok(FlaggedFile { bytes, rows, flagged, readings })
}

impl FlaggedFile<'_> {
    /// How many readings the file holds.
    pub const fn readings(&self) -> u64 {
        self.readings
    }

    /// How many readings carry each flag, in the flags' order.
    pub fn counts(&self) -> Vec<(&'static str, u64)> {
        let all = Flags(u32::MAX).codes();
        let count = |code| {
            let flag = Flags::parse_code(code).unwrap_or_default();
            self.flagged.iter().filter(|(_, _, flags)| flags.has(flag)).count() as u64
        };
        all.map(|code| (code, count(code))).filter(|(_, count)| *count > 0).collect()
    }

    /// Columns that hold no quantity and were left as they are.
    pub fn other_columns(&self) -> &[String] {
        &self.rows.others
    }

    /// Writes the file with its flags.
    ///
    /// # Errors
    ///
    /// Whatever `out` reports.
    pub fn write(&self, mut out: impl Write) -> io::Result<()> {
        let text = self.rows.text;
        // The byte-order mark, where there is one.
        out.write_all(&self.bytes[..self.bytes.len() - text.len()])?;
        let mut flagged = self.flagged.as_slice();
        let mut codes = String::new();
        for (nth, raw) in (0_u32..).zip(self.rows.raw()) {
            let here = flagged.iter().take_while(|(row, ..)| *row == nth).count();
            let (of_row, rest) = flagged.split_at(here);
            flagged = rest;
            codes.clear();
            for (_, column, flags) in of_row {
                self.rows.join(&mut codes, *column, *flags);
            }
            self.rows.write(nth, raw, &codes, &mut out)?;
        }
        out.write_all(self.rows.tail().as_bytes())
    }
}
