//! The store's own numbers of devices and quantities: given out once, never reused.

use std::{collections::HashMap, sync::Arc};

use plotwise_config::{id::DeviceId, reading::QuantityNo};
use rusqlite::{Connection, OptionalExtension};

use super::StoreError;

/// What a writer remembers of the numbers, so that it need not ask for every observation.
#[derive(Debug)]
pub(super) struct Codes {
    keys: Arc<[String]>,
    devices: HashMap<DeviceId, i64>,
    /// By the catalogue's number.
    quantities: Vec<Option<u32>>,
}

impl Codes {
    pub(super) fn new(keys: Arc<[String]>) -> Self {
        let quantities = vec![None; keys.len()];
        Self { keys, devices: HashMap::new(), quantities }
    }

    /// After a transaction that failed: the numbers it gave out do not stand.
    pub(super) fn forget(&mut self) {
        self.devices.clear();
        self.quantities.fill(None);
    }

    /// The device's number, a new one where it has none yet.
    pub(super) fn device(
        &mut self,
        connection: &Connection,
        device: &DeviceId,
    ) -> Result<i64, StoreError> {
        if let Some(number) = self.devices.get(device) {
            return Ok(*number);
        }
        connection
            .prepare_cached("insert into device (name) values (?) on conflict do nothing")?
            .execute([device.as_str()])?;
        let number = connection
            .prepare_cached("select id from device where name = ?")?
            .query_row([device.as_str()], |row| row.get(0))?;
        self.devices.insert(device.clone(), number);
        Ok(number)
    }

    /// The quantity's code, a new one where it has none yet; `None` for a number that the catalogue
    /// did not give out.
    pub(super) fn quantity(
        &mut self,
        connection: &Connection,
        quantity: QuantityNo,
    ) -> Result<Option<u32>, StoreError> {
        let place = usize::from(quantity.0);
        match self.quantities.get(place) {
            None => return Ok(None),
            Some(Some(code)) => return Ok(Some(*code)),
            Some(None) => {}
        }
        let key = &self.keys[place];
        connection
            .prepare_cached("insert into quantity (key) values (?) on conflict do nothing")?
            .execute([key])?;
        let code = connection
            .prepare_cached("select code from quantity where key = ?")?
            .query_row([key], |row| row.get(0))?;
        self.quantities[place] = Some(code);
        Ok(Some(code))
    }

    /// Keys of the catalogue's quantities, in the order of their numbers.
    pub(super) fn keys(&self) -> &[String] {
        &self.keys
    }

    /// The key of a quantity that [`Codes::quantity`] has given a code.
    pub(super) fn key(&self, code: u32) -> &str {
        let place = self.quantities.iter().position(|known| *known == Some(code));
        place.map_or("", |place| &self.keys[place])
    }
}

/// The number of a device that has sent something.
pub(super) fn device_number(
    connection: &Connection,
    device: &DeviceId,
) -> Result<Option<i64>, StoreError> {
    Ok(connection
        .prepare_cached("select id from device where name = ?")?
        .query_row([device.as_str()], |row| row.get(0))
        .optional()?)
}

/// The catalogue's number of every code in the file.
pub(super) fn known_quantities(
    connection: &Connection,
    keys: &[String],
) -> Result<HashMap<u32, QuantityNo>, StoreError> {
    let mut statement = connection.prepare_cached("select code, key from quantity")?;
    let mut rows = statement.query([])?;
    let mut known = HashMap::new();
    while let Some(row) = rows.next()? {
        let (code, key): (u32, String) = (row.get(0)?, row.get(1)?);
        let place = keys.iter().position(|wanted| *wanted == key);
        match place.and_then(|place| u16::try_from(place).ok()) {
            Some(place) => known.insert(code, QuantityNo(place)),
            None => return Err(StoreError::QuantityGone { key }),
        };
    }
    Ok(known)
}
