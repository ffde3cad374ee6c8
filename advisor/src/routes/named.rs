//! A word of a closed list with its names, so that no reader needs a dictionary of keys.

use plotwise_config::text::Text;
use serde::Serialize;
use utoipa::ToSchema;

/// A key and what people call it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Named {
    /// The key, as in files.
    pub(super) key: &'static str,
    /// Its names.
    pub(super) name: Text,
}

/// Wraps a word of any of the glossary's lists.
macro_rules! named {
    ($($list:ty),+ $(,)?) => {
        $( impl From<$list> for Named {
            fn from(word: $list) -> Self {
                Self { key: word.key(), name: word.name() }
            }
        } )+
    };
}

use plotwise_config::{
    catalogue::crop::CropClass,
    land::{Disease, Drainage, LandType, Measure, Protection, SoilClass, SoilTexture, Water},
};
named!(CropClass, Disease, Drainage, LandType, Measure, Protection, SoilClass, SoilTexture, Water);
