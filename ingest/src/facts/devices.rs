//! Devices, where they stand, and what their tokens hash to.

use std::collections::HashMap;

use jiff::Timestamp;
use plotwise_config::{
    id::{CooperativeId, DeviceId, PlotId},
    reading::DepthMm,
    records::{Device, Placement},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};

use super::{
    Change, Changes, Facts, FactsError,
    entity::{device, placement, token},
    plots::holds,
    row::{RowReader, text_of},
    write::{Named, Writing},
};
use crate::directory::{Directory, Entry};

/// Devices of one transaction; each is up to five statements.
const CHUNK_DEVICES: usize = 200;

/// Which devices; an absent part asks for nothing.
#[derive(Clone, Debug, Default)]
pub struct DeviceFilter {
    /// Of one cooperative.
    pub cooperative: Option<CooperativeId>,
    /// Words in key or name, whatever their case.
    pub text: Option<String>,
    /// Only those after this key: the next page of a list.
    pub after: Option<DeviceId>,
    /// At most so many.
    pub limit: Option<u64>,
}

impl DeviceFilter {
    fn condition(&self) -> Condition {
        let cooperative =
            self.cooperative.as_ref().map(|id| device::Column::Cooperative.eq(id.as_str()));
        let after = self.after.as_ref().map(|id| device::Column::Id.gt(id.as_str()));
        let words = self.text.as_deref().map(|text| {
            let name = holds(device::Column::Name, text);
            Condition::any().add(holds(device::Column::Id, text)).add(name)
        });
        Condition::all().add_option(cooperative).add_option(after).add_option(words)
    }
}

impl Facts {
    /// Every device with its owner, token hash and depths: the snapshot that ingest works with.
    ///
    /// # Errors
    ///
    /// [`FactsError::Database`], [`FactsError::Damaged`].
    pub async fn directory(&self) -> Result<Directory, FactsError> {
        let mut depths: HashMap<DeviceId, Vec<(Timestamp, Option<DepthMm>)>> = HashMap::new();
        for placement in self.placements(Condition::all()).await? {
            let of_device = depths.entry(placement.device).or_default();
            of_device.push((placement.from, placement.depth));
        }
        let tokens = token::Entity::find().all(&self.database).await?;
        let mut hashes: HashMap<String, [u8; 32]> = HashMap::with_capacity(tokens.len());
        for row in tokens {
            let read = RowReader::new("token", &row.device);
            let hash = hash_from_hex(&row.sha256)
                .ok_or_else(|| read.damaged(&row.sha256, "64 hexadecimal digits"))?;
            hashes.insert(row.device, hash);
        }
        let devices = self.devices(&DeviceFilter::default()).await?;
        Ok(Directory::new(devices.into_iter().map(|device| {
            let entry = Entry {
                cooperative: device.cooperative,
                profile: device.profile,
                is_gateway: device.is_gateway,
                token_sha256: hashes.remove(device.id.as_str()),
                own_depths: depths.remove(&device.id).unwrap_or_default(),
            };
            (device.id, entry)
        })))
    }

    /// Devices in order of their key.
    ///
    /// # Errors
    ///
    /// [`FactsError::Database`], [`FactsError::Damaged`].
    pub async fn devices(&self, filter: &DeviceFilter) -> Result<Vec<Device>, FactsError> {
        let query = device::Entity::find()
            .filter(filter.condition())
            .order_by_asc(device::Column::Id)
            .limit(filter.limit);
        query.all(&self.database).await?.into_iter().map(from_row).collect()
    }

    /// The device with this key.
    ///
    /// # Errors
    ///
    /// [`FactsError::Database`], [`FactsError::Damaged`].
    pub async fn device(&self, id: &DeviceId) -> Result<Option<Device>, FactsError> {
        let row = device::Entity::find_by_id(id.as_str()).one(&self.database).await?;
        row.map(from_row).transpose()
    }

    /// Adds or changes devices, each with the place where it stands.
    ///
    /// A placement at a plot and depth where the device stands or stood is there already, whatever
    /// its moment: a list of devices that is read again does not move them back. To move a device
    /// to where it stood before, use [`Facts::move_device`].
    ///
    /// # Errors
    ///
    /// [`FactsError::NoSuchOwner`] for an unknown cooperative or plot; [`FactsError::Database`].
    pub async fn put_devices(
        &self,
        records: &[(Device, Option<Placement>)],
    ) -> Result<Changes, FactsError> {
        let mut total = Changes::default();
        for chunk in records.chunks(CHUNK_DEVICES) {
            let writing = Writing::begin(self).await?;
            let mut changes = Changes::default();
            for (device, placement) in chunk {
                changes.count(put_device(&writing, device, placement.as_ref()).await?);
            }
            writing.finish(changes.is_any()).await?;
            total = total.with(changes);
            tokio::task::yield_now().await;
        }
        Ok(total)
    }

    /// Removes a device with its placements and token; whether it was there. Its readings stay.
    ///
    /// # Errors
    ///
    /// [`FactsError::Database`].
    pub async fn remove_device(&self, id: &DeviceId) -> Result<bool, FactsError> {
        let writing = Writing::begin(self).await?;
        let delete = device::Entity::delete_by_id(id.as_str());
        let removed = delete.exec(&writing.transaction).await?.rows_affected > 0;
        writing.finish(removed).await?;
        Ok(removed)
    }

    /// Gives a device a token, in place of the one it had. Only the hash is kept.
    ///
    /// # Errors
    ///
    /// [`FactsError::NoSuchOwner`] for an unknown device; [`FactsError::Database`].
    pub async fn set_token(
        &self,
        device: &DeviceId,
        sha256: [u8; 32],
        created: Timestamp,
    ) -> Result<(), FactsError> {
        self.set_tokens(&[(device.clone(), sha256)], created).await
    }

    /// Gives several devices their tokens in one transaction.
    ///
    /// # Errors
    ///
    /// [`FactsError::NoSuchOwner`] for an unknown device; [`FactsError::Database`].
    pub async fn set_tokens(
        &self,
        tokens: &[(DeviceId, [u8; 32])],
        created: Timestamp,
    ) -> Result<(), FactsError> {
        let writing = Writing::begin(self).await?;
        let mut changes = Changes::default();
        for (device, sha256) in tokens {
            let row = token::Model {
                device: device.to_string(),
                sha256: hex_of(*sha256),
                created_ms: created.as_millisecond(),
            };
            let named = Named { record: format!("the token of {device}"), owner: "device" };
            changes.count(writing.put_row::<token::Entity>(&row, &named).await?);
        }
        writing.finish(changes.is_any()).await
    }

    /// Places a device from a moment on; what it measured before keeps its place.
    ///
    /// # Errors
    ///
    /// [`FactsError::NoSuchOwner`] for an unknown device or plot; [`FactsError::Database`].
    pub async fn move_device(&self, placement: &Placement) -> Result<Change, FactsError> {
        let writing = Writing::begin(self).await?;
        let change = put_placement(&writing, placement).await?;
        writing.finish(change != Change::Same).await?;
        Ok(change)
    }

    /// Every placement of the devices that stand or ever stood on a plot, by device and moment: a
    /// placement elsewhere says when the one here ended.
    ///
    /// # Errors
    ///
    /// [`FactsError::Database`], [`FactsError::Damaged`].
    pub async fn placements_of_plot(&self, plot: &PlotId) -> Result<Vec<Placement>, FactsError> {
        let stood_here = placement::Entity::find()
            .select_only()
            .column(placement::Column::Device)
            .filter(placement::Column::Plot.eq(plot.as_str()))
            .into_query();
        self.placements(placement::Column::Device.in_subquery(stood_here).into()).await
    }

    /// Where a device stood, by moment.
    ///
    /// # Errors
    ///
    /// [`FactsError::Database`], [`FactsError::Damaged`].
    pub async fn placements_of_device(&self, id: &DeviceId) -> Result<Vec<Placement>, FactsError> {
        self.placements(placement::Column::Device.eq(id.as_str()).into()).await
    }

    /// Every placement of every device, by device and moment.
    ///
    /// # Errors
    ///
    /// [`FactsError::Database`], [`FactsError::Damaged`].
    pub async fn all_placements(&self) -> Result<Vec<Placement>, FactsError> {
        self.placements(Condition::all()).await
    }

    async fn placements(&self, which: Condition) -> Result<Vec<Placement>, FactsError> {
        let query = placement::Entity::find()
            .filter(which)
            .order_by_asc(placement::Column::Device)
            .order_by_asc(placement::Column::FromMs);
        query.all(&self.database).await?.iter().map(placement_from_row).collect()
    }
}

async fn put_device(
    writing: &Writing,
    record: &Device,
    placement: Option<&Placement>,
) -> Result<Change, FactsError> {
    let named = Named { record: format!("device {}", record.id), owner: "cooperative" };
    let change = writing.put_row::<device::Entity>(&to_row(record), &named).await?;
    let Some(placement) = placement else { return Ok(change) };
    let row = placement_to_row(placement);
    let known = placement::Entity::find().filter(placement::Column::Device.eq(record.id.as_str()));
    let known = known.all(&writing.transaction).await?;
    if known.iter().any(|known| known.plot == row.plot && known.depth_mm == row.depth_mm) {
        return Ok(change);
    }
    put_placement(writing, placement).await?;
    Ok(if change == Change::New { Change::New } else { Change::Changed })
}

async fn put_placement(writing: &Writing, placement: &Placement) -> Result<Change, FactsError> {
    let record = format!("the placement of {}", placement.device);
    let named = Named { record, owner: "device or plot" };
    writing.put_row::<placement::Entity>(&placement_to_row(placement), &named).await
}

fn to_row(record: &Device) -> device::Model {
    device::Model {
        id: record.id.to_string(),
        cooperative: record.cooperative.to_string(),
        name: record.name.clone(),
        profile: record.profile.clone(),
        is_gateway: record.is_gateway,
    }
}

fn from_row(row: device::Model) -> Result<Device, FactsError> {
    let read = RowReader::new("device", &row.id);
    Ok(Device {
        id: read.word(&row.id, "a device's key")?,
        cooperative: read.word(&row.cooperative, "a cooperative's key")?,
        name: row.name,
        profile: row.profile,
        is_gateway: row.is_gateway,
    })
}

fn placement_to_row(record: &Placement) -> placement::Model {
    placement::Model {
        device: record.device.to_string(),
        from_ms: record.from.as_millisecond(),
        plot: text_of(record.plot.as_ref()),
        depth_mm: record.depth.map(|depth| i64::from(depth.0)),
    }
}

fn placement_from_row(row: &placement::Model) -> Result<Placement, FactsError> {
    let read = RowReader::new("placement", &row.device);
    let depth = row.depth_mm.map(|mm| {
        let depth = u16::try_from(mm).map(DepthMm);
        depth.map_err(|_| read.damaged(mm, "a depth of 0-60000 mm"))
    });
    Ok(Placement {
        device: read.word(&row.device, "a device's key")?,
        plot: read.word_if(row.plot.as_deref(), "a plot's key")?,
        depth: depth.transpose()?,
        from: read.moment(row.from_ms)?,
    })
}

fn hex_of(hash: [u8; 32]) -> String {
    use std::fmt::Write;
    hash.iter().fold(String::with_capacity(64), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes every text");
        text
    })
}

fn hash_from_hex(text: &str) -> Option<[u8; 32]> {
    let bytes = text.as_bytes();
    if bytes.len() != 64 || !bytes.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, pair) in hash.iter_mut().zip(bytes.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(hash)
}
