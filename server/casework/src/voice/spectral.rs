//! A plain spectral reference: mean and deviation of the loudness of bands.
//!
//! It recognises recordings that sound alike. It is not a speaker model: two people in the same
//! room may be nearer to each other than one person with a cold to themselves. It is there so that
//! the way of a life check can be lived and tested; nobody may be judged by it.

use std::f32::consts::PI;
use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use super::{Samples, VoiceModel};

/// Bands between the least and the greatest frequency, which every rate that is taken can hold.
const BANDS: usize = 24;
const HERTZ_MIN: f32 = 100.0;
const HERTZ_MAX: f32 = 3_800.0;
/// Windows of 25 milliseconds, every 10.
const WINDOWS_A_SECOND: u32 = 40;
const STEPS_A_SECOND: u32 = 100;
/// Windows this far below the loudest are left out, bands this far below it are held there.
const QUIET_DB: f32 = 30.0;
const FLOOR_DB: f32 = 50.0;
/// A difference of this many decibels lowers the score to 1/e.
const DECAY_DB: f32 = 10.0;

/// The model. See the head of the file for what it is not.
#[derive(Debug, Clone, Copy, Default)]
pub struct SpectralReference;

impl VoiceModel for SpectralReference {
    fn name(&self) -> &'static str {
        "plain spectral reference, recognises recordings, no speaker model"
    }

    /// Loudness of each band over time: means, less their own mean, then deviations. Empty where
    /// there is no sound.
    fn embed(&self, samples: &Samples) -> Vec<f32> {
        let windows = Windows::new(samples.rate).loudness(&samples.values);
        let loudest = windows.iter().flatten().copied().fold(f32::MIN, f32::max);
        let mean_of = |window: &[f32]| window.iter().sum::<f32>() / window.len().max(1) as f32;
        let top = windows.iter().map(|window| mean_of(window)).fold(f32::MIN, f32::max);
        let kept: Vec<Vec<f32>> = windows
            .into_iter()
            .filter(|window| mean_of(window) > top - QUIET_DB)
            .map(|window| window.into_iter().map(|band| band.max(loudest - FLOOR_DB)).collect())
            .collect();
        if kept.is_empty() || loudest <= SILENT_DB {
            return Vec::new();
        }
        let count = kept.len() as f32;
        let over = |band: usize| kept.iter().filter_map(move |window| window.get(band).copied());
        let means: Vec<f32> = (0..BANDS).map(|band| over(band).sum::<f32>() / count).collect();
        let deviations = means.iter().enumerate().map(|(band, mean)| {
            (over(band).map(|value| (value - mean).powi(2)).sum::<f32>() / count).sqrt()
        });
        let level = mean_of(&means);
        means.iter().map(|mean| mean - level).chain(deviations).collect()
    }

    fn score(&self, a: &[f32], b: &[f32]) -> f32 {
        if a.is_empty() || a.len() != b.len() {
            return 0.0;
        }
        let squares: f32 = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum();
        let score = (-(squares / a.len() as f32).sqrt() / DECAY_DB).exp();
        // What was kept may be damaged: not a number is not alike.
        if score.is_finite() { score } else { 0.0 }
    }

    fn threshold(&self) -> f32 {
        0.85
    }
}

/// The loudness of nothing.
const SILENT_DB: f32 = -119.0;

/// Windows of a rate, with the weights of its bands.
struct Windows {
    length: usize,
    step: usize,
    shape: Vec<f32>,
    fft: Arc<dyn Fft<f32>>,
    bands: Vec<Vec<f32>>,
}

impl Windows {
    fn new(rate: u32) -> Self {
        let length = usize::try_from(rate / WINDOWS_A_SECOND).unwrap_or(1).max(1);
        let step = usize::try_from(rate / STEPS_A_SECOND).unwrap_or(1).max(1);
        let size = length.next_power_of_two();
        let turn = 2.0 * PI / length as f32;
        let shape = (0..length).map(|at| 0.5 - 0.5 * (turn * at as f32).cos()).collect();
        let fft = FftPlanner::new().plan_fft_forward(size);
        let hertz = rate as f32 / size as f32;
        let bins: Vec<f32> = (0..=size / 2).map(|bin| bin as f32 * hertz).collect();
        let (least, greatest) = (mel(HERTZ_MIN), mel(HERTZ_MAX));
        let edge = |at: usize| least + (greatest - least) * at as f32 / (BANDS + 1) as f32;
        let bands = (0..BANDS).map(|band| {
            let (from, middle, to) = (edge(band), edge(band + 1), edge(band + 2));
            let weight = |hertz: &f32| {
                let at = mel(*hertz);
                ((at - from) / (middle - from)).min((to - at) / (to - middle)).max(0.0)
            };
            let weights: Vec<f32> = bins.iter().map(weight).collect();
            let sum: f32 = weights.iter().sum();
            weights.into_iter().map(|weight| weight / sum.max(1e-6)).collect()
        });
        Self { length, step, shape, fft, bands: bands.collect() }
    }

    /// The loudness of each band in each window, in decibels.
    fn loudness(&self, values: &[f32]) -> Vec<Vec<f32>> {
        let mut scratch = vec![Complex::default(); self.fft.get_inplace_scratch_len()];
        let scale = 1.0 / (self.length as f32).powi(2);
        let windows = values.windows(self.length).step_by(self.step);
        let loudness = windows.map(|window| {
            let mut line: Vec<Complex<f32>> = window
                .iter()
                .zip(&self.shape)
                .map(|(value, shape)| Complex::new(value * shape, 0.0))
                .collect();
            line.resize(self.fft.len(), Complex::default());
            self.fft.process_with_scratch(&mut line, &mut scratch);
            let powers: Vec<f32> = line.iter().map(|value| value.norm_sqr() * scale).collect();
            let band = |weights: &Vec<f32>| {
                let sum: f32 = weights.iter().zip(&powers).map(|(w, power)| w * power).sum();
                10.0 * sum.max(1e-12).log10()
            };
            self.bands.iter().map(band).collect()
        });
        loudness.collect()
    }
}

/// The pitch of a frequency as it is heard.
fn mel(hertz: f32) -> f32 {
    2_595.0 * (1.0 + hertz / 700.0).log10()
}
