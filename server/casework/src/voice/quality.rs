//! Whether a recording is good enough to be compared at all.

use serde::Serialize;

use super::Samples;

/// The least quality that is compared.
pub const QUALITY_LEAST: f32 = 0.5;
/// Below this level, relative to the loudest possible, a moment is silent.
const SILENCE_DB: f32 = -50.0;
/// Moments a second.
const MOMENTS: u32 = 50;
/// What is this near to the loudest possible was cut off.
const CLIPPED: f32 = 0.999;

/// What a recording is like. Each part is good from `QUALITY_LEAST` of its span on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Quality {
    /// How long it lasts.
    pub seconds: f32,
    /// How loud it is where it is not silent, in decibels below the loudest possible.
    pub level_db: f32,
    /// The share of values that were cut off.
    pub clipped: f32,
    /// The share of silent moments.
    pub silent: f32,
}

/// What is wrong with a recording, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Flaw {
    /// It is too short.
    Short,
    /// It is too quiet.
    Quiet,
    /// It is too loud: peaks were cut off.
    Clipped,
    /// Most of it is silence.
    Silent,
}

impl Flaw {
    /// What to tell the speaker, in Chinese and in English.
    #[must_use]
    pub fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::Short => ("录音太短，请把数字读完", "too short: please read all the digits"),
            Self::Quiet => ("声音太小，请靠近话筒", "too quiet: please come nearer"),
            Self::Clipped => ("声音太大，请离话筒远一些", "too loud: please go further away"),
            Self::Silent => {
                ("大部分没有声音，请连续读出数字", "mostly silent: please read on without pauses")
            }
        }
    }
}

impl Quality {
    /// Looks at a recording.
    #[must_use]
    pub fn of(samples: &Samples) -> Self {
        let moment = usize::try_from(samples.rate / MOMENTS).unwrap_or(1).max(1);
        let powers: Vec<f32> = samples.values.chunks(moment).map(power).collect();
        let loud: Vec<f32> = powers.iter().copied().filter(|p| decibels(*p) > SILENCE_DB).collect();
        let clipped = samples.values.iter().filter(|value| value.abs() >= CLIPPED).count();
        Self {
            seconds: samples.seconds(),
            level_db: decibels(share(loud.iter().sum(), loud.len())),
            clipped: share(clipped as f32, samples.values.len()),
            silent: 1.0 - share(loud.len() as f32, powers.len()),
        }
    }

    /// From 0 to 1: the worst of its parts.
    #[must_use]
    pub fn score(&self) -> f32 {
        self.parts().map(|(_, part)| part).into_iter().fold(1.0, f32::min)
    }

    /// What is not good enough.
    #[must_use]
    pub fn flaws(&self) -> Vec<Flaw> {
        let mut bad: Vec<(Flaw, f32)> =
            self.parts().into_iter().filter(|(_, part)| *part < QUALITY_LEAST).collect();
        bad.sort_by(|a, b| a.1.total_cmp(&b.1));
        bad.into_iter().map(|(flaw, _)| flaw).collect()
    }

    /// Good from 1.5 seconds, -45 decibels, 1 in 100 cut off and 70 in 100 silent on.
    fn parts(&self) -> [(Flaw, f32); 4] {
        let part = |value: f32| value.clamp(0.0, 1.0);
        [
            (Flaw::Silent, part((1.0 - self.silent) / 0.6)),
            (Flaw::Quiet, part((self.level_db + 60.0) / 30.0)),
            (Flaw::Short, part(self.seconds / 3.0)),
            (Flaw::Clipped, part(1.0 - self.clipped / 0.02)),
        ]
    }
}

fn power(values: &[f32]) -> f32 {
    share(values.iter().map(|value| value * value).sum(), values.len())
}

fn decibels(power: f32) -> f32 {
    10.0 * power.max(1e-12).log10()
}

fn share(part: f32, whole: usize) -> f32 {
    if whole == 0 { 0.0 } else { part / whole as f32 }
}
