//! One connection for each client id: a newer one closes the older.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::Notify;

/// Device and client id: no device can close another's connection.
type Name = (String, String);

/// Who is connected under which client id.
#[derive(Clone, Debug, Default)]
pub(super) struct Takeover(Arc<Mutex<HashMap<Name, Arc<Notify>>>>);

/// A place under a client id, given up when dropped.
#[derive(Debug)]
pub(super) struct Place {
    takeover: Takeover,
    name: Name,
    taken: Arc<Notify>,
}

impl Takeover {
    /// Takes the place of this name, closing whoever has it.
    pub(super) fn take(&self, device: &str, client_id: &str) -> Place {
        let name = (device.to_owned(), client_id.to_owned());
        let taken = Arc::new(Notify::new());
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(former) = places.insert(name.clone(), Arc::clone(&taken)) {
            former.notify_one();
        }
        Place { takeover: self.clone(), name, taken }
    }
}

impl Place {
    /// Waits until somebody else has taken the place. Cancel safe.
    pub(super) async fn taken(&self) {
        self.taken.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.takeover.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_mine = |current: &Arc<Notify>| Arc::ptr_eq(current, &self.taken);
        if places.get(&self.name).is_some_and(is_mine) {
            places.remove(&self.name);
        }
    }
}
