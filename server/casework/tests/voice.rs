//! Recordings: what is read, what is good enough, what is alike.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "synthetic sound within its bounds"
)]

use std::f32::consts::TAU;

use serde_json::{Value, json};
use yiku_casework::voice::{
    Flaw, QUALITY_LEAST, Quality, Samples, SpectralReference, VoiceModel, WavError, compare, listen,
};

/// A WAV file of these parts.
fn wav_of(format: u16, channels: u16, rate: u32, bits: u16, sound: &[u8]) -> Vec<u8> {
    let align = channels * (bits / 8);
    let mut bytes = Vec::new();
    bytes.extend(b"RIFF");
    bytes.extend((36 + sound.len() as u32).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16_u32.to_le_bytes());
    bytes.extend(format.to_le_bytes());
    bytes.extend(channels.to_le_bytes());
    bytes.extend(rate.to_le_bytes());
    bytes.extend((rate * u32::from(align)).to_le_bytes());
    bytes.extend(align.to_le_bytes());
    bytes.extend(bits.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend((sound.len() as u32).to_le_bytes());
    bytes.extend(sound);
    bytes
}

fn wav(rate: u32, values: &[f32]) -> Vec<u8> {
    let sound: Vec<u8> = values
        .iter()
        .flat_map(|value| ((value.clamp(-1.0, 1.0) * 32_767.0) as i16).to_le_bytes())
        .collect();
    wav_of(1, 1, rate, 16, &sound)
}

/// Something like a voice: harmonics of a pitch under formants, in syllables.
fn voice(rate: u32, seconds: f32, pitch: f32, formants: [f32; 3], gain: f32) -> Vec<f32> {
    let count = (seconds * rate as f32) as usize;
    let near = |hertz: f32| -> f32 {
        formants.iter().map(|formant| (-((hertz - formant) / 180.0).powi(2)).exp()).sum()
    };
    let harmonics: Vec<(f32, f32)> = (1..)
        .map(|number| pitch * number as f32)
        .take_while(|hertz| *hertz < 3_700.0)
        .map(|hertz| (hertz, near(hertz) + 0.02))
        .collect();
    let loudest: f32 = harmonics.iter().map(|(_, weight)| weight).sum();
    (0..count)
        .map(|at| {
            let time = at as f32 / rate as f32;
            let syllable = 0.6 + 0.4 * (TAU * 3.0 * time).sin();
            let sound: f32 =
                harmonics.iter().map(|(hertz, weight)| weight * (TAU * hertz * time).sin()).sum();
            gain * syllable * sound / loudest
        })
        .collect()
}

const LOW: (f32, [f32; 3]) = (120.0, [500.0, 1_400.0, 2_400.0]);
const HIGH: (f32, [f32; 3]) = (230.0, [850.0, 1_900.0, 3_100.0]);

fn low(rate: u32, gain: f32) -> Vec<f32> {
    voice(rate, 3.0, LOW.0, LOW.1, gain)
}

fn noise(count: usize, gain: f32) -> Vec<f32> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| gain * next()).collect()
}

fn reference(rate: u32, values: &[f32]) -> Value {
    listen(&SpectralReference, &wav(rate, values), None).unwrap().keep().unwrap()
}

fn score(new: (u32, &[f32]), kept: (u32, &[f32])) -> f32 {
    let kept = reference(kept.0, kept.1);
    let heard = listen(&SpectralReference, &wav(new.0, new.1), Some(&kept)).unwrap();
    assert_eq!((heard.flaws.as_slice(), heard.reference), ([].as_slice(), true));
    heard.score.unwrap()
}

#[test]
fn the_same_sound_is_alike_and_another_is_not() {
    let least = SpectralReference.threshold();
    let one = low(16_000, 0.8);
    let same = score((16_000, &one), (16_000, &one));
    assert!(same > 0.999, "{same}");
    let softer = score((16_000, &low(16_000, 0.3)), (16_000, &one));
    assert!(softer > 0.97, "softer: {softer}");
    let finer = score((48_000, &low(48_000, 0.8)), (16_000, &one));
    assert!(finer > least, "another rate: {finer}");
    let longer = score((16_000, &voice(16_000, 5.0, LOW.0, LOW.1, 0.8)), (16_000, &one));
    assert!(longer > least, "longer: {longer}");

    let other = voice(16_000, 3.0, HIGH.0, HIGH.1, 0.8);
    let different = score((16_000, &other), (16_000, &one));
    assert!(different < 0.6, "another voice: {different}");
    let rushing = score((16_000, &noise(48_000, 0.5)), (16_000, &one));
    assert!(rushing < 0.5, "noise: {rushing}");
    assert_eq!(score((16_000, &other), (16_000, &one)), score((16_000, &one), (16_000, &other)));
}

#[test]
fn what_is_not_good_enough_is_not_compared() {
    let rate = 16_000;
    let kept = reference(rate, &low(rate, 0.8));
    let mut pauses = low(rate, 0.8);
    pauses[8_000..].fill(0.0);
    let loud: Vec<f32> = low(rate, 1.0).iter().map(|value| value * 40.0).collect();
    let cases = [
        ("silence", vec![0.0; 48_000], vec![Flaw::Silent, Flaw::Quiet]),
        ("nothing", vec![], vec![Flaw::Silent, Flaw::Quiet, Flaw::Short]),
        ("one second", voice(rate, 1.0, LOW.0, LOW.1, 0.8), vec![Flaw::Short]),
        ("a whisper", noise(48_000, 0.006), vec![Flaw::Quiet]),
        ("cut off", loud, vec![Flaw::Clipped]),
        ("pauses", pauses, vec![Flaw::Silent]),
    ];
    for (name, values, flaws) in cases {
        let heard = listen(&SpectralReference, &wav(rate, &values), Some(&kept)).unwrap();
        let mut found = heard.flaws.clone();
        found.sort_by_key(|flaw| flaws.iter().position(|known| known == flaw));
        assert_eq!(found, flaws, "{name}: {:?}", heard.quality);
        assert!(heard.quality.score() < QUALITY_LEAST, "{name}");
        assert_eq!((heard.score, heard.embedding.as_ref(), heard.keep()), (None, None, None));
        assert_eq!(heard.evidence()["score"], Value::Null);
        assert_eq!(heard.evidence()["flaws"].as_array().unwrap().len(), flaws.len());
    }
    let good = Quality::of(&Samples::from_wav(&wav(rate, &low(rate, 0.8))).unwrap());
    assert!(good.score() >= 0.75 && good.flaws().is_empty(), "{good:?}");
}

#[test]
fn evidence_says_what_was_compared_and_by_what() {
    let rate = 16_000;
    let sound = wav(rate, &low(rate, 0.8));
    let first = listen(&SpectralReference, &sound, None).unwrap();
    assert_eq!((first.score, first.reference), (None, false));
    let kept = first.keep().unwrap();
    let evidence = listen(&SpectralReference, &sound, Some(&kept)).unwrap().evidence();
    assert!(evidence["score"].as_f64().unwrap() >= evidence["threshold"].as_f64().unwrap());
    assert!(evidence["quality"].as_f64().unwrap() >= evidence["quality_least"].as_f64().unwrap());
    assert_eq!(evidence["reference"], json!(true));
    assert!(evidence["model"].as_str().unwrap().contains("no speaker model"));
    // What another model kept, or what is damaged, is nothing to compare with.
    for other in [
        json!(null),
        json!({"model": "another", "embedding": kept["embedding"]}),
        json!({"model": kept["model"], "embedding": []}),
        json!({"model": kept["model"], "embedding": ["x"]}),
        json!({"model": kept["model"], "embedding": vec![0; 5000]}),
    ] {
        let heard = listen(&SpectralReference, &sound, Some(&other)).unwrap();
        assert_eq!((heard.score, heard.reference), (None, false), "{other}");
    }
    let model = SpectralReference;
    // Two recordings at once; one that cannot be used is nothing to compare with.
    assert_eq!(compare(&model, &sound, Some(&sound)), Ok(evidence));
    for earlier in [None, Some(b"MZ".as_slice()), Some(&wav(rate, &[0.0; 48_000]))] {
        assert_eq!(compare(&model, &sound, earlier).unwrap()["reference"], json!(false));
    }
    assert_eq!(compare(&model, b"MZ", Some(&sound)), Err(WavError::NotWav));
    assert_eq!(model.score(&[1.0], &[1.0, 2.0]), 0.0);
    assert_eq!(model.score(&[f32::NAN], &[1.0]), 0.0);
    assert_eq!(model.score(&[], &[]), 0.0);
}

#[test]
fn files_of_another_kind_are_told_apart() {
    let sound = [0_u8; 64];
    let cases = [
        (Vec::new(), "not a WAV file"),
        (b"RIFF".to_vec(), "not a WAV file"),
        (b"RIFF\x04\x00\x00\x00AVI ".to_vec(), "not a WAV file"),
        (b"RIFF\x04\x00\x00\x00WAVE".to_vec(), "no sound"),
        (wav_of(3, 1, 16_000, 16, &sound), "format 3; it must have format 1 (PCM)"),
        (wav_of(1, 2, 16_000, 16, &sound), "channels 2; it must have one channel"),
        (wav_of(1, 1, 16_000, 8, &sound), "bits 8; it must have 16 bits"),
        (wav_of(1, 1, 7_999, 16, &sound), "a rate of 7999"),
        (wav_of(1, 1, 96_000, 16, &sound), "a rate of 96000"),
        (wav_of(1, 1, 0, 16, &sound), "a rate of 0"),
        (wav_of(1, 1, 16_000, 16, &sound[..63]), "half a value"),
        (wav(8_000, &vec![0.1; 8_000 * 30 + 1]), "lasts 31 seconds; the limit is 30"),
    ];
    for (bytes, part) in cases {
        let error = Samples::from_wav(&bytes).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    let whole = Samples::from_wav(&wav(8_000, &vec![0.1; 8_000 * 30])).unwrap();
    assert!((whole.seconds() - 30.0).abs() < 1e-3);
}

#[test]
fn other_pieces_are_passed_over() {
    let plain = wav(16_000, &[0.5, -0.5]);
    let mut listed = plain[..12].to_vec();
    listed.extend(b"LIST\x03\x00\x00\x00abc\x00");
    listed.extend(&plain[12..]);
    assert_eq!(Samples::from_wav(&listed), Samples::from_wav(&plain));
    let mut endless = plain[..12].to_vec();
    endless.extend(b"junk\x00\x00\x00\x00".repeat(100_000));
    assert!(matches!(Samples::from_wav(&endless), Err(WavError::Damaged { .. })));
    // The wide format header of some recorders.
    let mut wide = plain[..16].to_vec();
    wide.extend(40_u32.to_le_bytes());
    wide.extend(0xFFFE_u16.to_le_bytes());
    wide.extend(&plain[22..36]);
    wide.extend([22, 0, 16, 0, 4, 0, 0, 0, 1, 0]);
    wide.extend([0; 14]);
    wide.extend(&plain[36..]);
    assert_eq!(Samples::from_wav(&wide), Samples::from_wav(&plain));
}

/// Every cut, and every byte of the head set to every value.
#[test]
fn broken_files_are_errors_and_never_a_panic() {
    let whole = wav(16_000, &low(16_000, 0.8)[..200]);
    for length in 0..whole.len() {
        assert!(Samples::from_wav(&whole[..length]).is_err(), "{length}");
    }
    for at in 0..48 {
        for value in 0..=255 {
            let mut changed = whole.clone();
            changed[at] = value;
            if let Ok(heard) = listen(&SpectralReference, &changed, None) {
                assert!(heard.quality.score().is_finite(), "{at} {value}");
            }
        }
    }
}
