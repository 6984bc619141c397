//! Life checks by voice: recordings, their quality, and how alike two of them are.
//!
//! A citizen reads digits that are new each time; what is recorded is compared with a recording
//! kept from before. The comparison is a piece of evidence and never decides alone: where it fails,
//! or there is nothing to compare with, somebody visits.
//!
//! Invariants: a recording is hostile bytes; what is too short, quiet, loud or silent is not
//! compared; a model says of itself what it is, and that name stands beside each of its scores.

mod quality;
mod spectral;
mod wav;

use serde_json::{Value, json};

pub use quality::{Flaw, QUALITY_LEAST, Quality};
pub use spectral::SpectralReference;
pub use wav::{SECONDS_MAX, Samples, WavError};

/// The most numbers of an embedding that is read.
const EMBEDDING_MAX: usize = 4096;

/// What tells how alike two voices are. A trained speaker model can take the reference's place.
pub trait VoiceModel: std::fmt::Debug + Send + Sync {
    /// What it is, in words; stands beside each score, and embeddings of another name are not
    /// compared.
    fn name(&self) -> &'static str;

    /// What is kept of a recording to compare others with.
    fn embed(&self, samples: &Samples) -> Vec<f32>;

    /// How alike two embeddings are, 0 to 1.
    fn score(&self, a: &[f32], b: &[f32]) -> f32;

    /// The score from which on two recordings count as alike.
    fn threshold(&self) -> f32;
}

/// What was found out about a recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// The model's name.
    pub model: &'static str,
    /// What the recording is like.
    pub quality: Quality,
    /// What is not good enough; empty where it can be compared.
    pub flaws: Vec<Flaw>,
    /// What is kept to compare later recordings with; only of a recording without flaws.
    pub embedding: Option<Vec<f32>>,
    /// How alike it is to the reference; nothing without a reference, or with flaws.
    pub score: Option<f32>,
    /// The score from which on it counts as alike.
    pub threshold: f32,
    /// Whether there was a reference of this model to compare with.
    pub reference: bool,
}

/// Listens to a recording: reads it, judges its quality, compares it with a reference made by
/// [`Heard::keep`].
///
/// # Errors
/// When the bytes are no recording that can be read.
///
/// ```
/// use yiku_casework::voice::{SpectralReference, WavError, listen};
/// assert_eq!(listen(&SpectralReference, b"MZ", None), Err(WavError::NotWav));
/// ```
pub fn listen(
    model: &dyn VoiceModel,
    wav: &[u8],
    reference: Option<&Value>,
) -> Result<Heard, WavError> {
    let samples = Samples::from_wav(wav)?;
    let quality = Quality::of(&samples);
    let flaws = quality.flaws();
    let reference = reference.and_then(|kept| embedding_of(model, kept));
    let embedding = flaws.is_empty().then(|| model.embed(&samples)).filter(|e| !e.is_empty());
    let both = embedding.as_ref().zip(reference.as_ref());
    Ok(Heard {
        model: model.name(),
        quality,
        flaws,
        score: both.map(|(new, kept)| model.score(new, kept)),
        threshold: model.threshold(),
        reference: reference.is_some(),
        embedding,
    })
}

/// Compares a recording with an earlier one of the same person and gives the evidence of a life
/// check. An earlier one that cannot be used is as none.
///
/// # Errors
/// When the new bytes are no recording that can be read.
pub fn compare(
    model: &dyn VoiceModel,
    wav: &[u8],
    earlier: Option<&[u8]>,
) -> Result<Value, WavError> {
    let kept = earlier.and_then(|earlier| listen(model, earlier, None).ok()?.keep());
    Ok(listen(model, wav, kept.as_ref())?.evidence())
}

impl Heard {
    /// The evidence of a life check: `{score, threshold, quality, quality_least, model, reference,
    /// flaws}`.
    #[must_use]
    pub fn evidence(&self) -> Value {
        let flaws: Vec<Value> = self
            .flaws
            .iter()
            .map(|flaw| {
                let (zh, en) = flaw.texts();
                json!({"code": flaw, "zh": zh, "en": en})
            })
            .collect();
        json!({
            "score": self.score,
            "threshold": self.threshold,
            "quality": self.quality.score(),
            "quality_least": QUALITY_LEAST,
            "model": self.model,
            "reference": self.reference,
            "flaws": flaws,
        })
    }

    /// What is kept as a person's reference: sealed like all that is personal.
    #[must_use]
    pub fn keep(&self) -> Option<Value> {
        let embedding = self.embedding.as_ref()?;
        Some(json!({"model": self.model, "embedding": embedding}))
    }
}

/// The embedding of a kept reference, if this model made it.
fn embedding_of(model: &dyn VoiceModel, kept: &Value) -> Option<Vec<f32>> {
    let same = kept.get("model").and_then(Value::as_str) == Some(model.name());
    let numbers = kept.get("embedding").and_then(Value::as_array)?;
    let numbers =
        (same && !numbers.is_empty() && numbers.len() <= EMBEDDING_MAX).then_some(numbers)?;
    numbers.iter().map(|number| serde_json::from_value(number.clone()).ok()).collect()
}
