//! What land is, by law, by survey and by nature.

use serde::{Deserialize, Serialize};

use crate::keyed::keyed;

keyed! {
    /// Land type as surveyed (GB/T 21010-2017).
    pub enum LandType ("land type") {
        /// 011: growing aquatic crops; so too where rotated with dry crops.
        Paddy = "paddy", "水田", "paddy field";
        /// 012: assured irrigation, dry crops.
        Irrigated = "irrigated", "水浇地", "irrigated land";
        /// 013: rain-fed.
        Dry = "dry", "旱地", "dry land";
        /// 02: orchards, tea, other perennials.
        Orchard = "orchard", "园地", "orchard";
        /// 03.
        Forest = "forest", "林地", "forest land";
        /// 04.
        Grass = "grass", "草地", "grassland";
        /// Anything else.
        Other = "other", "其他", "other land";
    }
}

impl LandType {
    /// Whether it is cultivated land (耕地): what most planting rules speak of.
    pub const fn is_cultivated(self) -> bool {
        matches!(self, Self::Paddy | Self::Irrigated | Self::Dry)
    }
}

keyed! {
    /// What the law wants grown there first. A plot may carry several.
    pub enum Protection ("protection") {
        /// Ordinary cultivated land.
        Ordinary = "ordinary", "一般耕地", "ordinary cultivated land";
        /// Permanent basic farmland.
        BasicFarmland = "basic_farmland", "永久基本农田", "permanent basic farmland";
        /// Grain production functional zone.
        GrainZone = "grain_zone", "粮食生产功能区", "grain production zone";
    }
}

keyed! {
    /// Official class of farmland by soil pollution (Soil Pollution Law, art. 49). From safest to worst.
    pub enum SoilClass ("soil class") {
        /// Priority protection.
        Priority = "priority", "优先保护类", "priority protection";
        /// Safe use.
        SafeUse = "safe_use", "安全利用类", "safe use";
        /// Strict control.
        StrictControl = "strict_control", "严格管控类", "strict control";
    }
}

keyed! {
    /// What has been ordered or allowed for a plot.
    pub enum Measure ("measure") {
        /// Planting structure adjustment: leaves rice.
        StructureAdjustment = "structure_adjustment", "种植结构调整", "structure adjustment";
        /// Declared fallow.
        Fallow = "fallow", "休耕", "fallow";
        /// Farmland to forest or grass.
        ReturnToForest = "return_to_forest", "退耕还林还草", "return to forest or grass";
        /// Zone where certain produce is prohibited.
        ProhibitedProduce = "prohibited_produce", "特定农产品严格管控区", "zone of prohibited produce";
    }
}

keyed! {
    /// How water stands or runs on a plot in a season.
    pub enum Water ("water regime") {
        /// Rain alone.
        RainFed = "rain_fed", "雨养", "rain-fed";
        /// Irrigated, not flooded.
        Irrigated = "irrigated", "灌溉", "irrigated";
        /// Flooded, as paddy rice is.
        Flooded = "flooded", "淹水", "flooded";
        /// Drained: ditches or pipes lead water away.
        Drained = "drained", "排水", "drained";
    }
}

keyed! {
    /// How fast a plot loses surplus water. From best to worst.
    pub enum Drainage ("drainage") {
        /// Surplus water is gone within a day.
        Good = "good", "良好", "good";
        /// Within some days.
        Moderate = "moderate", "中等", "moderate";
        /// Water stands.
        Poor = "poor", "差", "poor";
    }
}

keyed! {
    /// The twelve classes of soil texture (USDA), from sand to clay.
    pub enum SoilTexture ("soil texture") {
        /// Sand.
        Sand = "sand", "砂土", "sand";
        /// Loamy sand.
        LoamySand = "loamy_sand", "壤质砂土", "loamy sand";
        /// Sandy loam.
        SandyLoam = "sandy_loam", "砂质壤土", "sandy loam";
        /// Loam.
        Loam = "loam", "壤土", "loam";
        /// Silt loam.
        SiltLoam = "silt_loam", "粉砂壤土", "silt loam";
        /// Silt.
        Silt = "silt", "粉砂土", "silt";
        /// Sandy clay loam.
        SandyClayLoam = "sandy_clay_loam", "砂质黏壤土", "sandy clay loam";
        /// Clay loam.
        ClayLoam = "clay_loam", "黏壤土", "clay loam";
        /// Silty clay loam.
        SiltyClayLoam = "silty_clay_loam", "粉砂质黏壤土", "silty clay loam";
        /// Sandy clay.
        SandyClay = "sandy_clay", "砂质黏土", "sandy clay";
        /// Silty clay.
        SiltyClay = "silty_clay", "粉砂质黏土", "silty clay";
        /// Clay.
        Clay = "clay", "黏土", "clay";
    }
}

keyed! {
    /// How bad a disease was. From least to worst.
    pub enum Severity ("severity") {
        /// Few plants.
        Slight = "slight", "轻", "slight";
        /// Seen all over.
        Moderate = "moderate", "中", "moderate";
        /// Cost much of the harvest.
        Severe = "severe", "重", "severe";
    }
}

keyed! {
    /// A soil-borne disease or pest that stays on a plot.
    pub enum Disease ("disease") {
        /// Ceratocystis fimbriata of sweet potato.
        BlackSpot = "black_spot", "黑斑病", "black spot";
        /// Ditylenchus destructor of sweet potato.
        StemNematode = "stem_nematode", "茎线虫病", "stem nematode";
        /// Fusarium solani of sweet potato.
        RootRot = "root_rot", "根腐病", "root rot";
        /// Fusarium oxysporum (蔓割病 of sweet potato, 枯萎病 of melons and cotton).
        FusariumWilt = "fusarium_wilt", "枯萎病", "Fusarium wilt";
        /// Ralstonia solanacearum (薯瘟 of sweet potato, 青枯病 of peanut, chili, potato).
        BacterialWilt = "bacterial_wilt", "青枯病", "bacterial wilt";
        /// Sclerotinia sclerotiorum of rape.
        SclerotiniaRot = "sclerotinia_rot", "菌核病", "Sclerotinia stem rot";
        /// Plasmodiophora brassicae of brassicas.
        Clubroot = "clubroot", "根肿病", "clubroot";
        /// Magnaporthe oryzae of rice.
        RiceBlast = "rice_blast", "稻瘟病", "rice blast";
        /// Phytophthora of chili, and late blight of potato.
        Phytophthora = "phytophthora", "疫病", "Phytophthora blight";
    }
}

/// The centre of a plot or the place of a cooperative, WGS 84.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
}
