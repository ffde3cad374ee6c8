//! What a file names and must exist: cooperatives, plots, crops, varieties, quantities.

use plotwise_config::{
    catalogue::{Catalogue, profile::NATIVE},
    closest::closest,
    id::{CooperativeId, CropKey, PlotId, VarietyKey},
    reading::QuantityNo,
};

use super::{Known, Options, fields::Fields};

/// ": did you mean", where something is near.
pub(super) fn did_you_mean<'a>(found: &str, known: impl Iterator<Item = &'a str>) -> String {
    closest(found, known).map_or_else(String::new, |near| format!("; did you mean {near}?"))
}

impl Fields<'_> {
    /// A cooperative that exists.
    pub(super) fn cooperative(&mut self, known: &Known) -> Option<CooperativeId> {
        let id: CooperativeId = self.id("cooperative")?;
        if known.cooperatives.contains(&id) {
            return Some(id);
        }
        let near = did_you_mean(id.as_str(), known.cooperatives.iter().map(CooperativeId::as_str));
        let wanted = format!(
            "a known cooperative{near} (plotwise cooperatives add {id} --name NAME makes it)"
        );
        self.wrong("cooperative", wanted);
        None
    }

    /// The row's cooperative, else the one of the options, else the only one there is.
    pub(super) fn cooperative_or_only(
        &mut self,
        known: &Known,
        options: &Options,
    ) -> Option<CooperativeId> {
        if self.text("cooperative").is_some() {
            return self.cooperative(known);
        }
        let mut all = known.cooperatives.iter();
        match (&options.cooperative, all.next(), all.next()) {
            (Some(id), ..) if known.cooperatives.contains(id) => Some(id.clone()),
            (None, Some(only), None) => Some(only.clone()),
            (Some(id), ..) => {
                self.wrong(
                    "cooperative",
                    format!("a known cooperative; {id} is none (plotwise cooperatives add {id} --name NAME makes it)"),
                );
                None
            }
            (None, None, _) => {
                self.wrong(
                    "cooperative",
                    "a cooperative; plotwise cooperatives add ID --name NAME makes one",
                );
                None
            }
            (None, Some(_), Some(_)) => {
                self.wrong("cooperative", "a column cooperative, as there is more than one");
                None
            }
        }
    }

    /// A plot that exists.
    pub(super) fn plot(&mut self, known: &Known) -> Option<PlotId> {
        let id: PlotId = self.id("plot")?;
        if known.plots.contains_key(&id) {
            return Some(id);
        }
        let near = did_you_mean(id.as_str(), known.plots.keys().map(PlotId::as_str));
        self.wrong("plot", format!("a known plot{near}"));
        None
    }

    /// A crop of the catalogue, by key or by name in either language.
    pub(super) fn crop(&mut self, catalogue: &Catalogue) -> Option<CropKey> {
        let text = self.need("crop", "a crop of the catalogue")?;
        let by_name = || catalogue.crops().iter().find(|crop| is_named(text, &crop.name));
        if let Some(crop) = catalogue.crop(text).or_else(by_name) {
            return Some(crop.key.clone());
        }
        let names = catalogue
            .crops()
            .iter()
            .flat_map(|crop| [crop.key.as_str(), crop.name.zh.as_str(), crop.name.en.as_str()]);
        let near = did_you_mean(text, names);
        self.wrong("crop", format!("a crop of the catalogue{near}"));
        None
    }

    /// A variety of `crop`, by key or by name, where one is given.
    pub(super) fn variety(
        &mut self,
        catalogue: &Catalogue,
        crop: Option<&CropKey>,
    ) -> Option<VarietyKey> {
        let text = self.text("variety")?;
        // Without a crop there is already an error in this row, and nothing to look in.
        let crop = crop?.as_str();
        let of_crop = || catalogue.varieties_of(crop);
        let found = of_crop()
            .find(|variety| variety.key.as_str() == text)
            .or_else(|| of_crop().find(|variety| is_named(text, &variety.name)));
        if let Some(variety) = found {
            return Some(variety.key.clone());
        }
        let names = of_crop().flat_map(|variety| {
            [variety.key.as_str(), variety.name.zh.as_str(), variety.name.en.as_str()]
        });
        let near = did_you_mean(text, names);
        self.wrong("variety", format!("a variety of {crop} in the catalogue{near}"));
        None
    }

    /// A device profile that exists; devices that name none speak Plotwise's own JSON.
    pub(super) fn profile(&mut self, catalogue: &Catalogue) -> String {
        let key = self.string("profile").unwrap_or_else(|| NATIVE.to_owned());
        if catalogue.check_profile(&key).is_err() {
            let keys = catalogue.profiles().iter().map(|profile| profile.key.as_str());
            let near = did_you_mean(&key, keys.chain([NATIVE]));
            self.wrong(
                "profile",
                format!("a device profile{near} (plotwise profiles list shows them)"),
            );
        }
        key
    }

    /// A quantity of the catalogue, by key or by name.
    pub(super) fn quantity(&mut self, catalogue: &Catalogue) -> Option<QuantityNo> {
        let text = self.need("quantity", "a quantity of the catalogue")?;
        let found = find_quantity(catalogue, text);
        if found.is_none() {
            self.wrong("quantity", unknown_quantity(catalogue, text));
        }
        found
    }
}

/// A quantity by key or by name in either language.
pub(super) fn find_quantity(catalogue: &Catalogue, text: &str) -> Option<QuantityNo> {
    let named = || {
        let quantities = (0_u16..).zip(catalogue.quantities());
        let mut named = quantities.filter(|(_, quantity)| is_named(text, &quantity.name));
        named.next().map(|(number, _)| QuantityNo(number))
    };
    catalogue.quantity_no(text).or_else(named)
}

/// What an unknown quantity should have been.
pub(super) fn unknown_quantity(catalogue: &Catalogue, text: &str) -> String {
    let names = catalogue
        .quantities()
        .iter()
        .flat_map(|quantity| [quantity.key.as_str(), quantity.name.zh.as_str()]);
    format!("a quantity of the catalogue{}", did_you_mean(text, names))
}

fn is_named(text: &str, name: &plotwise_config::text::Text) -> bool {
    name.zh == text || name.en.eq_ignore_ascii_case(text)
}
