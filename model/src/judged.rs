//! Steps 1, 2, 4 and 5 of advice for every crop, without words.
//!
//! [`Inquiry`] holds what no "what if" changes: rules, planting spans, seasons before, prices. [`judge`]
//! runs the steps for the land as it is or as it would be; the explanation compares several runs.

use jiff::civil::Date;
use plotwise_config::{
    catalogue::{
        Catalogue,
        crop::{Crop, CropClass, Factor, WaterHabit},
        rule::Rule,
        variety::{Resistance, Variety},
    },
    land::{Disease, Drainage, Measure},
    records::{Organ, Price, Season},
};

use crate::{
    advice::Suitability,
    allowed::{self, Permission},
    dossier::{Dossier, Surroundings},
    growing_season::{MeanYear, Window, windows_of_year},
    margin::{self, Offer, Produce},
    profile::SiteProfile,
    ranked,
    rotation::{self, Breach, Past, Standing},
    safe::{self, Failure, ProduceSamples, SafeUse, Safety, SoilSafety},
    suitability::{Evaluation, LandInput, rate},
    yields::{Estimate, Ground, LocalMeans},
};

/// A span that begins later than this is of the season after next.
const HORIZON_DAYS: i64 = 366;
/// Harvests on land of the same drainage from which on they speak for the class by themselves.
const HARVESTS_ENOUGH: u32 = 3;

/// What is the same for every plot of a cooperative on a day.
#[derive(Clone, Debug)]
pub(crate) struct Common<'a> {
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) surroundings: &'a Surroundings,
    pub(crate) yields: &'a LocalMeans,
    pub(crate) on: Date,
    year: Option<MeanYear>,
    crops: Vec<CommonCrop<'a>>,
}

/// The same of one crop.
#[derive(Clone, Debug)]
struct CommonCrop<'a> {
    crop: &'a Crop,
    varieties: Vec<&'a Variety>,
    prices: Vec<&'a Price>,
    starch_reference: Option<f64>,
}

impl<'a> Common<'a> {
    pub(crate) fn new(
        catalogue: &'a Catalogue,
        surroundings: &'a Surroundings,
        yields: &'a LocalMeans,
        on: Date,
    ) -> Self {
        let crops = catalogue.crops().iter().map(|crop| CommonCrop {
            crop,
            varieties: catalogue.varieties_of(crop.key.as_str()).collect(),
            prices: margin::prices_of(&surroundings.prices, crop, on),
            starch_reference: margin::starch_reference(catalogue, crop),
        });
        let crops = crops.collect();
        let year = MeanYear::of(&surroundings.climate);
        Self { catalogue, surroundings, yields, on, year, crops }
    }
}

/// Everything about a plot that stays the same whatever is changed on it.
pub(crate) struct Inquiry<'a> {
    pub(crate) common: &'a Common<'a>,
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) dossier: &'a Dossier,
    pub(crate) profile: &'a SiteProfile,
    pub(crate) measure: Option<Measure>,
    pub(crate) standing: Option<Standing<'a>>,
    /// Diseases seen, each with the season it was last seen in.
    pub(crate) diseases: Vec<(Disease, &'a Season)>,
    produce: ProduceSamples<'a>,
    crops: Vec<CropInquiry<'a>>,
}

/// The same for one crop.
struct CropInquiry<'a> {
    crop: &'a Crop,
    common: &'a CommonCrop<'a>,
    permission: Permission<'a>,
    breach: Option<Breach<'a>>,
    windows: Vec<Window>,
    /// Whether what stands there takes the only spans.
    is_occupied: bool,
}

/// A change to the land; nothing for the land as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct WhatIf {
    pub(crate) drainage: Option<Drainage>,
    pub(crate) soil_ph: Option<f64>,
}

/// What the steps leave.
#[derive(Clone, Debug)]
pub(crate) struct Judgement<'a> {
    pub(crate) crops: Vec<CropStanding<'a>>,
    /// Best first.
    pub(crate) lines: Vec<Line<'a>>,
    pub(crate) out: Vec<Out<'a>>,
}

/// A crop that stands.
#[derive(Clone, Debug)]
pub(crate) struct CropStanding<'a> {
    pub(crate) crop: &'a Crop,
    pub(crate) warnings: Vec<&'a Rule>,
    pub(crate) breach: Option<Breach<'a>>,
    pub(crate) uses: Vec<SafeUse<'a>>,
    pub(crate) failed: Vec<Failure<'a>>,
    /// Parts that may not be eaten or fed from this soil.
    pub(crate) forbidden: Vec<Organ>,
    /// At least one.
    pub(crate) spans: Vec<Span>,
    pub(crate) has_prices: bool,
    /// Whether it would turn cultivated land into an orchard.
    pub(crate) is_conversion: bool,
}

/// A planting span with the land's class in it.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) window: Option<Window>,
    pub(crate) evaluation: Evaluation,
}

/// One variety, or a crop without varieties.
#[derive(Clone, Debug)]
pub(crate) struct Line<'a> {
    /// Its place in `Judgement::crops`.
    pub(crate) place: usize,
    /// Its place in the crop's spans.
    pub(crate) span: usize,
    pub(crate) variety: Option<&'a Variety>,
    pub(crate) estimate: Option<Estimate>,
    pub(crate) offer: Option<Offer<'a>>,
}

/// What is excluded, and why.
#[derive(Clone, Debug)]
pub(crate) struct Out<'a> {
    pub(crate) crop: &'a Crop,
    pub(crate) variety: Option<&'a Variety>,
    pub(crate) ground: Exclusion<'a>,
}

/// The first step that excludes.
#[derive(Clone, Debug)]
pub(crate) enum Exclusion<'a> {
    /// A rule denies it.
    Rule(&'a Rule),
    /// It stood there, or a disease of it did, too short a time ago.
    Breach(Breach<'a>),
    /// What stands there takes the season.
    Occupied,
    /// The climate leaves no day to plant it.
    NoSpan,
    /// Nothing of it may be eaten or fed from this soil.
    SoilForbids,
    /// Its produce was above the limit.
    ProduceFailed(Failure<'a>),
    /// Class N.
    Land(Box<Evaluation>),
    /// A disease seen on the plot.
    Disease { disease: Disease, grade: Resistance, season: &'a Season },
}

impl Exclusion<'_> {
    /// Whether it holds whatever is measured next: what law and samples say.
    pub(crate) const fn is_firm(&self) -> bool {
        !matches!(self, Self::Land(_) | Self::NoSpan | Self::Occupied)
    }
}

impl<'a> Judgement<'a> {
    pub(crate) fn crop_of(&self, line: &Line<'a>) -> &CropStanding<'a> {
        &self.crops[line.place]
    }

    pub(crate) fn span_of(&self, line: &Line<'a>) -> &Span {
        &self.crops[line.place].spans[line.span]
    }

    /// Leaves nothing of the land's classes but for crops that stand in water; rules and limits stay.
    pub(crate) fn keep_aquatic(&mut self) {
        let is_aquatic = |crop: &Crop| crop.water_habit == WaterHabit::Aquatic;
        let crops = &self.crops;
        self.lines.retain(|line| is_aquatic(crops[line.place].crop));
        self.out.retain(|out| is_aquatic(out.crop) || out.ground.is_firm());
    }

    /// Place of a crop among crops, 1 for the best.
    pub(crate) fn rank_of_crop(&self, crop: &Crop) -> Option<usize> {
        let mut seen: Vec<usize> = Vec::new();
        for line in &self.lines {
            if !seen.contains(&line.place) {
                seen.push(line.place);
                if self.crops[line.place].crop.key == crop.key {
                    return Some(seen.len());
                }
            }
        }
        None
    }

    /// The best line of a crop, or that of one of its varieties.
    pub(crate) fn line(&self, crop: &Crop, variety: Option<&Variety>) -> Option<&Line<'a>> {
        self.lines.iter().find(|line| {
            self.crops[line.place].crop.key == crop.key
                && variety.is_none_or(|wanted| {
                    line.variety.is_some_and(|variety| variety.key == wanted.key)
                })
        })
    }
}

impl<'a> Inquiry<'a> {
    pub(crate) fn new(
        common: &'a Common<'a>,
        dossier: &'a Dossier,
        profile: &'a SiteProfile,
    ) -> Self {
        let (catalogue, on) = (common.catalogue, common.on);
        let past = Past::new(catalogue, &dossier.seasons, on);
        let standing = past.standing();
        let measure = allowed::measure_in_force(&dossier.plot, on);
        let free_from = standing.as_ref().and_then(|s| s.free_from).unwrap_or(on).max(on);
        let horizon = rotation::later(on, HORIZON_DAYS);
        let crops = common.crops.iter().map(|common_crop| {
            let crop = common_crop.crop;
            let mut windows = windows_of_year(crop, common.year.as_ref(), free_from);
            let had_windows = !windows.is_empty();
            windows.retain(|window| window.from <= horizon);
            let planting = windows.iter().map(|window| window.from).min().unwrap_or(free_from);
            CropInquiry {
                crop,
                common: common_crop,
                permission: allowed::permission(
                    catalogue,
                    &dossier.plot,
                    measure,
                    crop,
                    past.is_after_rice(planting),
                ),
                breach: past.breach(crop, planting),
                is_occupied: had_windows && windows.is_empty(),
                windows,
            }
        });
        Self {
            crops: crops.collect(),
            diseases: past.diseases(),
            produce: ProduceSamples::new(&dossier.samples, &dossier.seasons),
            common,
            catalogue,
            dossier,
            profile,
            measure,
            standing,
        }
    }
}

/// Runs the steps for the land as `what_if` has it.
pub(crate) fn judge<'a>(
    inquiry: &Inquiry<'a>,
    soil: &SoilSafety<'_>,
    what_if: WhatIf,
) -> Judgement<'a> {
    let mut judgement = Judgement { crops: Vec::new(), lines: Vec::new(), out: Vec::new() };
    for asked in &inquiry.crops {
        match stand(inquiry, asked, soil, what_if) {
            Ok(standing) => add_lines(inquiry, asked, standing, what_if, &mut judgement),
            Err(ground) => judgement.out.push(Out { crop: asked.crop, variety: None, ground }),
        }
    }
    ranked::order(&mut judgement);
    judgement
}

/// Steps 1, 2 and 4 for one crop.
fn stand<'a>(
    inquiry: &Inquiry<'a>,
    asked: &CropInquiry<'a>,
    soil: &SoilSafety<'_>,
    what_if: WhatIf,
) -> Result<CropStanding<'a>, Exclusion<'a>> {
    let crop = asked.crop;
    let warnings = match &asked.permission {
        Permission::Denied(rule) => return Err(Exclusion::Rule(rule)),
        Permission::Allowed(warnings) => warnings.clone(),
    };
    let safety = safe::safety(inquiry.catalogue, crop, soil, &inquiry.produce);
    let (uses, failed, forbidden) = match safety {
        Safety::Safe { uses, failed, forbidden } => (uses, failed, forbidden),
        Safety::SoilForbids => return Err(Exclusion::SoilForbids),
        Safety::ProduceFailed(failure) => return Err(Exclusion::ProduceFailed(failure)),
    };
    let spans = spans(inquiry, asked, what_if);
    if let Some(best) = spans.iter().min_by_key(|span| span.evaluation.class)
        && best.evaluation.class == Suitability::N
    {
        return Err(Exclusion::Land(Box::new(best.evaluation.clone())));
    }
    if let Some(breach) = asked.breach.as_ref().filter(|breach| breach.is_excluding) {
        return Err(Exclusion::Breach(breach.clone()));
    }
    if spans.is_empty() {
        return Err(if asked.is_occupied { Exclusion::Occupied } else { Exclusion::NoSpan });
    }
    let breach = asked.breach.clone();
    let has_prices = !asked.common.prices.is_empty();
    let is_cultivated = inquiry.dossier.plot.land_type.is_cultivated();
    let is_conversion = is_cultivated && crop.class == CropClass::Fruit;
    Ok(CropStanding {
        crop,
        warnings,
        breach,
        uses,
        failed,
        forbidden,
        spans,
        has_prices,
        is_conversion,
    })
}

/// The land's class in each planting span; one span without dates for a crop without a calendar.
fn spans(inquiry: &Inquiry<'_>, asked: &CropInquiry<'_>, what_if: WhatIf) -> Vec<Span> {
    let windows: Vec<Option<Window>> = if asked.crop.calendar.is_empty() {
        vec![None]
    } else {
        asked.windows.iter().cloned().map(Some).collect()
    };
    let span = |window: Option<Window>| {
        let mut land = LandInput::new(inquiry.profile, &inquiry.dossier.plot, window.clone());
        if let Some(drainage) = what_if.drainage {
            land = land.with_drainage(drainage);
        }
        if let Some(ph) = what_if.soil_ph {
            land = land.with_ph(ph);
        }
        Span { window, evaluation: rate(asked.crop, &land) }
    };
    windows.into_iter().map(span).collect()
}

/// Step 5 for one crop: its varieties, or the crop itself where the catalogue has none.
fn add_lines<'a>(
    inquiry: &Inquiry<'a>,
    asked: &CropInquiry<'a>,
    standing: CropStanding<'a>,
    what_if: WhatIf,
    judgement: &mut Judgement<'a>,
) {
    let place = judgement.crops.len();
    if asked.common.varieties.is_empty() {
        let line = line(inquiry, asked, &standing, what_if, None, place);
        judgement.lines.extend(line.ok());
    } else {
        for &variety in &asked.common.varieties {
            match line(inquiry, asked, &standing, what_if, Some(variety), place) {
                Ok(line) => judgement.lines.push(line),
                Err(ground) => {
                    judgement.out.push(Out { crop: asked.crop, variety: Some(variety), ground });
                }
            }
        }
    }
    judgement.crops.push(standing);
}

fn line<'a>(
    inquiry: &Inquiry<'a>,
    asked: &CropInquiry<'a>,
    standing: &CropStanding<'a>,
    what_if: WhatIf,
    variety: Option<&'a Variety>,
    place: usize,
) -> Result<Line<'a>, Exclusion<'a>> {
    let crop = asked.crop;
    if let Some(variety) = variety
        && let Some((disease, season)) =
            inquiry.diseases.iter().find(|(d, _)| variety.resistance(*d).is_susceptible())
    {
        let grade = variety.resistance(*disease);
        return Err(Exclusion::Disease { disease: *disease, grade, season });
    }
    let suits = |span: &Span| match (variety, &span.window) {
        (Some(variety), Some(window)) => {
            variety.calendars.is_empty() || variety.calendars.contains(&window.calendar)
        }
        _ => true,
    };
    let spans = standing.spans.iter().enumerate().filter(|(_, span)| suits(span));
    let (span, best) = spans
        .min_by_key(|(place, span)| {
            (span.evaluation.class, span.window.as_ref().map(|window| window.from), *place)
        })
        .ok_or(if asked.is_occupied { Exclusion::Occupied } else { Exclusion::NoSpan })?;
    if best.evaluation.class == Suitability::N {
        return Err(Exclusion::Land(Box::new(best.evaluation.clone())));
    }
    let estimate = estimate(inquiry, crop, variety, what_if, &best.evaluation);
    let offer = estimate.as_ref().and_then(|estimate| {
        let area_ha = inquiry.dossier.plot.area_m2 / 10_000.0;
        let sold_as = margin::uses_of(crop, variety);
        let produce = Produce { variety, sold_as, estimate, area_ha };
        margin::best_offer(&asked.common.prices, produce, asked.common.starch_reference)
    });
    Ok(Line { place, span, variety, estimate, offer })
}

/// The expected yield, less what the class costs where no harvest speaks of it yet.
fn estimate(
    inquiry: &Inquiry<'_>,
    crop: &Crop,
    variety: Option<&Variety>,
    what_if: WhatIf,
    evaluation: &Evaluation,
) -> Option<Estimate> {
    let means = inquiry.common.yields.crop(&crop.key)?;
    let plot = &inquiry.dossier.plot;
    let drainage = what_if.drainage.or(inquiry.profile.wetness.drainage);
    let ground =
        Ground { village: plot.village.as_deref(), household: plot.household.as_deref(), drainage };
    let estimate = means.expect(variety.map(|variety| &variety.key), ground);
    let is_wetness = matches!(evaluation.limiting, Some(Factor::Drainage | Factor::Flooding));
    let harvests = match drainage {
        Some(drainage) if is_wetness => means.harvests_on(drainage),
        _ => means.harvests(),
    };
    Some(if harvests >= HARVESTS_ENOUGH {
        estimate
    } else {
        ranked::cost_of_class(estimate, evaluation.class)
    })
}
