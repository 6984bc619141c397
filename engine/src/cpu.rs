//! The one place that knows what the processor can do, and the only `unsafe` beside the mapping
//! of files: kernels are written once and compiled for each [`Level`]; which copy runs is chosen
//! while the program runs.
//!
//! Invariants: a copy is called only where every instruction it may use was found; a token
//! (`Avx2`, `Avx512`) exists inside such a copy alone, so that what needs it may be called;
//! the answer of a kernel does not depend on the level.
#![expect(
    unsafe_code,
    reason = "code for instructions that not every processor has is unsafe to call; this is its \
              one place"
)]

use std::sync::atomic::{AtomicU8, Ordering};

/// What kernels may use of the processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// What every processor of its kind has.
    Plain = 1,
    /// Vectors of 256 bits, and what moves single bits (x86-64).
    Avx2 = 2,
    /// Vectors of 512 bits that count and permute bytes (x86-64).
    Avx512 = 3,
}

impl Level {
    /// All of them, the lowest first.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Avx2, Self::Avx512];
}

/// The number of the level that kernels run at; 0 before anybody asked.
static CURRENT: AtomicU8 = AtomicU8::new(0);

/// The highest level of this machine.
#[must_use]
pub fn found() -> Level {
    #[cfg(target_arch = "x86_64")]
    {
        macro_rules! has {
            ($($feature:tt)*) => { true $(&& std::arch::is_x86_feature_detected!($feature))* };
        }
        if has!("avx2" "bmi1" "bmi2" "popcnt" "lzcnt") {
            let most = has!("avx512f" "avx512bw" "avx512dq" "avx512vl" "avx512vbmi");
            let counts = has!("avx512vpopcntdq");
            return if most && counts { Level::Avx512 } else { Level::Avx2 };
        }
    }
    Level::Plain
}

/// The level that kernels run at.
#[must_use]
#[inline]
pub fn level() -> Level {
    match CURRENT.load(Ordering::Relaxed) {
        1 => Level::Plain,
        2 => Level::Avx2,
        3 => Level::Avx512,
        _ => limit(Level::Avx512),
    }
}

/// From here on no kernel of this process goes beyond a level, nor beyond what the machine has;
/// gives the level that they run at. For tests and measurements.
pub fn limit(most: Level) -> Level {
    let level = most.min(found());
    CURRENT.store(level as u8, Ordering::Relaxed);
    level
}

/// What is compiled for each level.
pub(crate) trait Kernel {
    /// What it gives.
    type Out;
    /// Does the work. To be marked `#[inline(always)]`, as everything that it calls in its loops:
    /// what is not inlined is compiled for the lowest level.
    fn run<C: Cpu>(self, cpu: C) -> Self::Out;
}

/// Runs a kernel at the level of the process.
#[inline]
pub(crate) fn run<K: Kernel>(kernel: K) -> K::Out {
    match level() {
        // SAFETY: the level is never higher than what was found.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { x86::avx512(kernel) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { x86::avx2(kernel) },
        _ => kernel.run(Plain(())),
    }
}

/// Calls a function whose loops are compiled for each level; the one that fits the machine runs.
/// That works for what is inlined: write `best(#[inline(always)] || ...)`, and call nothing large
/// from it that is not marked so.
///
/// ```
/// let (one, two) = (vec![3u64; 100], vec![5u64; 100]);
/// let count = yiku::cpu::best(
///     #[inline(always)]
///     || one.iter().zip(&two).map(|(a, b)| (a & b).count_ones()).sum::<u32>(),
/// );
/// assert_eq!(count, 100);
/// ```
#[inline]
pub fn best<R>(kernel: impl FnOnce() -> R) -> R {
    struct Closure<F>(F);
    impl<R, F: FnOnce() -> R> Kernel for Closure<F> {
        type Out = R;
        #[inline(always)]
        fn run<C: Cpu>(self, _: C) -> R {
            (self.0)()
        }
    }
    run(Closure(kernel))
}

/// Numbers of a vector that [`Cpu::shuffle`] gives.
pub(crate) const EIGHT: usize = 8;

/// What a level does in a few instructions and the compiler does not find by itself. The bodies
/// here say what each of them is.
pub(crate) trait Cpu: Copy {
    /// The level.
    const LEVEL: Level;

    /// The bits of `word` at the places of `mask`, one behind the other.
    #[inline(always)]
    fn extract(self, word: u64, mut mask: u64) -> u64 {
        let (mut found, mut place) = (0, 1u64);
        while mask != 0 {
            let low = mask & mask.wrapping_neg();
            found |= place & ((word & low != 0) as u64).wrapping_neg();
            mask ^= low;
            place <<= 1;
        }
        found
    }

    /// The lowest bits of `word`, put at the places of `mask`.
    #[inline(always)]
    fn deposit(self, mut word: u64, mut mask: u64) -> u64 {
        let mut found = 0;
        while mask != 0 && word != 0 {
            let low = mask & mask.wrapping_neg();
            found |= low & (word & 1).wrapping_neg();
            mask ^= low;
            word >>= 1;
        }
        found
    }

    /// The highest bit of each byte, as a word.
    #[inline(always)]
    fn word_of(self, bytes: &[u8; 64]) -> u64 {
        let mut word = 0;
        for (at, eight) in (0..).step_by(8).zip(bytes.as_chunks::<8>().0) {
            let high = u64::from_le_bytes(*eight) >> 7 & 0x0101_0101_0101_0101;
            // The product moves the bit of byte n to bit 56 + n; no two meet on the way.
            word |= high.wrapping_mul(0x0102_0408_1020_4080) >> 56 << at;
        }
        word
    }

    /// A byte for each bit: all ones or zero.
    #[inline(always)]
    fn bytes_of(self, word: u64) -> [u8; 64] {
        let mut bytes = [0; 64];
        for (eight, byte) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(word.to_le_bytes()) {
            let spread = u64::from(byte).wrapping_mul(0x0101_0101_0101_0101);
            // Byte n keeps bit n: whatever is left of it carries into its highest bit.
            let own = (spread & 0x8040_2010_0804_0201).wrapping_add(0x007F_7F7F_7F7F_7F7F);
            let own = (own | spread & 0x8000_0000_0000_0000) >> 7 & 0x0101_0101_0101_0101;
            *eight = own.wrapping_mul(0xFF).to_le_bytes();
        }
        bytes
    }

    /// Byte `n` has bit `n` of each word: of the first its lowest.
    #[inline(always)]
    fn crossed(self, words: &[u64; 8]) -> [u8; 64] {
        let mut found = [0; 64];
        let squares = found.as_chunks_mut::<8>().0.iter_mut();
        for (shift, eight) in (0..64).step_by(8).zip(squares) {
            let mut square = 0;
            for (at, word) in (0..64).step_by(8).zip(words) {
                square |= (word >> shift & 0xFF) << at;
            }
            *eight = crate::words::transpose(square).to_le_bytes();
        }
        found
    }

    /// The first of eight numbers, put at the places of the bits of a mask; zero elsewhere.
    #[inline(always)]
    fn expanded(self, numbers: &[i64; EIGHT], mask: u8) -> [i64; EIGHT] {
        let (mut found, mut next) = ([0; EIGHT], numbers.iter());
        for (bit, slot) in found.iter_mut().enumerate() {
            if mask >> bit & 1 == 1 {
                *slot = next.next().copied().unwrap_or(0);
            }
        }
        found
    }

    /// Those of eight numbers whose bit is set, one behind the other; zero behind them.
    #[inline(always)]
    fn compressed(self, numbers: &[i64; EIGHT], mask: u8) -> [i64; EIGHT] {
        let (mut found, own) = ([0; EIGHT], numbers.iter().enumerate());
        let own = own.filter(|(bit, _)| mask >> bit & 1 == 1);
        found.iter_mut().zip(own).for_each(|(slot, (_, number))| *slot = *number);
        found
    }

    /// Which of eight numbers lie beneath a range, and which in it, both ends included.
    #[inline(always)]
    fn placed(self, numbers: &[i64; EIGHT], low: i64, high: i64) -> (u8, u8) {
        let (mut below, mut inside) = (0, 0);
        for (bit, number) in (0u32..).zip(numbers) {
            below |= u8::from(*number < low) << bit;
            inside |= u8::from((low <= *number) & (*number <= high)) << bit;
        }
        (below, inside)
    }

    /// Of up to 64 bytes, the others being zero: those of `index`, and then of each eight of them
    /// the eight bits from the bit of `shift` on, turned around in the eight.
    #[inline(always)]
    fn permuted(self, bytes: &[u8], index: &[u8; 64], shift: &[u8; 64]) -> [u8; 64] {
        let mut found = index.map(|at| bytes.get(usize::from(at)).copied().unwrap_or(0));
        let shifts = shift.as_chunks::<8>().0;
        for (eight, shifts) in found.as_chunks_mut::<8>().0.iter_mut().zip(shifts) {
            let word = u64::from_le_bytes(*eight);
            *eight = shifts.map(|shift| word.rotate_right(shift.into()).to_le_bytes()[0]);
        }
        found
    }

    /// Of each half 16 bytes those of its half of `index`, as numbers of four bytes, each shifted
    /// to the right. No index is beyond 15.
    #[inline(always)]
    fn shuffle(
        self,
        halves: [&[u8; 16]; 2],
        index: &[u8; 32],
        shift: &[u32; EIGHT],
    ) -> [u32; EIGHT] {
        let mut found = *shift;
        let places = index.as_chunks::<4>().0;
        for (at, (slot, four)) in found.iter_mut().zip(places).enumerate() {
            let half = if at < EIGHT / 2 { halves.first() } else { halves.last() };
            let byte = |at: u8| half.and_then(|half| half.get(usize::from(at))).map_or(0, |b| *b);
            *slot = u32::from_le_bytes(four.map(byte)) >> (*slot % 32);
        }
        found
    }
}

/// The token of [`Level::Plain`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plain(());

impl Cpu for Plain {
    const LEVEL: Level = Level::Plain;

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn word_of(self, bytes: &[u8; 64]) -> u64 {
        x86::word_of_16(bytes)
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    //! The levels of x86-64.
    #![expect(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_sign_loss,
        reason = "what the instructions take and give has no sign; of more than 64 bytes the \
                  first are meant"
    )]

    use std::arch::x86_64::*;

    use super::{Cpu, EIGHT, Kernel, Level};

    /// The token of [`Level::Avx2`].
    #[derive(Debug, Clone, Copy)]
    pub(super) struct Avx2(());

    /// The token of [`Level::Avx512`].
    #[derive(Debug, Clone, Copy)]
    pub(super) struct Avx512(());

    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt,lzcnt")]
    pub(super) fn avx2<K: Kernel>(kernel: K) -> K::Out {
        kernel.run(Avx2(()))
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt,lzcnt,avx512f,avx512bw,avx512dq,avx512vl")]
    #[target_feature(enable = "avx512vbmi,avx512vpopcntdq")]
    pub(super) fn avx512<K: Kernel>(kernel: K) -> K::Out {
        kernel.run(Avx512(()))
    }

    /// The highest bit of each byte, 16 at a time: every x86-64 can do that.
    #[inline(always)]
    pub(super) fn word_of_16(bytes: &[u8; 64]) -> u64 {
        let mut word = 0;
        for (at, part) in (0..).step_by(16).zip(bytes.as_chunks::<16>().0) {
            // SAFETY: every x86-64 has the instructions; the load is of 16 bytes that are there.
            let mask = unsafe { _mm_movemask_epi8(_mm_loadu_si128(part.as_ptr().cast())) };
            word |= u64::from(mask as u32) << at;
        }
        word
    }

    impl Cpu for Avx2 {
        const LEVEL: Level = Level::Avx2;

        #[inline(always)]
        fn extract(self, word: u64, mask: u64) -> u64 {
            // SAFETY: the token says that the instruction is there.
            unsafe { _pext_u64(word, mask) }
        }

        #[inline(always)]
        fn deposit(self, word: u64, mask: u64) -> u64 {
            // SAFETY: as above.
            unsafe { _pdep_u64(word, mask) }
        }

        #[inline(always)]
        fn word_of(self, bytes: &[u8; 64]) -> u64 {
            let mut word = 0;
            for (at, part) in (0..).step_by(32).zip(bytes.as_chunks::<32>().0) {
                // SAFETY: as above; the load is of 32 bytes that are there.
                let mask =
                    unsafe { _mm256_movemask_epi8(_mm256_loadu_si256(part.as_ptr().cast())) };
                word |= u64::from(mask as u32) << at;
            }
            word
        }

        #[inline(always)]
        fn bytes_of(self, word: u64) -> [u8; 64] {
            let mut bytes = [0; 64];
            let halves = bytes.as_chunks_mut::<32>().0.iter_mut();
            for (half, own) in halves.zip([word as u32, (word >> 32) as u32]) {
                // SAFETY: as above; the store is to 32 bytes that are there.
                unsafe {
                    let each = _mm256_set_epi64x(
                        0x0303_0303_0303_0303,
                        0x0202_0202_0202_0202,
                        0x0101_0101_0101_0101,
                        0,
                    );
                    let bit = _mm256_set1_epi64x(0x8040_2010_0804_0201u64 as i64);
                    let own = _mm256_shuffle_epi8(_mm256_set1_epi32(own as i32), each);
                    let own = _mm256_cmpeq_epi8(_mm256_and_si256(own, bit), bit);
                    _mm256_storeu_si256(half.as_mut_ptr().cast(), own);
                }
            }
            bytes
        }

        #[inline(always)]
        fn shuffle(
            self,
            halves: [&[u8; 16]; 2],
            index: &[u8; 32],
            shift: &[u32; EIGHT],
        ) -> [u32; EIGHT] {
            let mut found = [0; EIGHT];
            // SAFETY: as above; every load and store is of an array of that size.
            unsafe {
                let [low, high] = halves;
                let low = _mm_loadu_si128(low.as_ptr().cast());
                let both = _mm256_set_m128i(_mm_loadu_si128(high.as_ptr().cast()), low);
                let own = _mm256_shuffle_epi8(both, _mm256_loadu_si256(index.as_ptr().cast()));
                let own = _mm256_srlv_epi32(own, _mm256_loadu_si256(shift.as_ptr().cast()));
                _mm256_storeu_si256(found.as_mut_ptr().cast(), own);
            }
            found
        }
    }

    /// The bytes of a vector.
    #[inline(always)]
    unsafe fn bytes(vector: __m512i) -> [u8; 64] {
        let mut bytes = [0; 64];
        // SAFETY: the caller has the instruction; the store is to 64 bytes that are there.
        unsafe { _mm512_storeu_si512(bytes.as_mut_ptr().cast(), vector) };
        bytes
    }

    impl Cpu for Avx512 {
        const LEVEL: Level = Level::Avx512;

        #[inline(always)]
        fn expanded(self, numbers: &[i64; EIGHT], mask: u8) -> [i64; EIGHT] {
            let mut found = [0; EIGHT];
            // SAFETY: the token says that the instruction is there; the load and the store are of
            // arrays of that size.
            unsafe {
                let own = _mm512_loadu_si512(numbers.as_ptr().cast());
                let own = _mm512_maskz_expand_epi64(mask, own);
                _mm512_storeu_si512(found.as_mut_ptr().cast(), own);
            }
            found
        }

        #[inline(always)]
        fn placed(self, numbers: &[i64; EIGHT], low: i64, high: i64) -> (u8, u8) {
            // SAFETY: as above; the load is of an array of that size.
            unsafe {
                let own = _mm512_loadu_si512(numbers.as_ptr().cast());
                let below = _mm512_cmplt_epi64_mask(own, _mm512_set1_epi64(low));
                let inside = _mm512_cmple_epi64_mask(own, _mm512_set1_epi64(high));
                (below, inside & !below)
            }
        }

        #[inline(always)]
        fn compressed(self, numbers: &[i64; EIGHT], mask: u8) -> [i64; EIGHT] {
            let mut found = [0; EIGHT];
            // SAFETY: as above.
            unsafe {
                let own = _mm512_loadu_si512(numbers.as_ptr().cast());
                let own = _mm512_maskz_compress_epi64(mask, own);
                _mm512_storeu_si512(found.as_mut_ptr().cast(), own);
            }
            found
        }

        #[inline(always)]
        fn extract(self, word: u64, mask: u64) -> u64 {
            // SAFETY: the token says that the instruction is there.
            unsafe { _pext_u64(word, mask) }
        }

        #[inline(always)]
        fn deposit(self, word: u64, mask: u64) -> u64 {
            // SAFETY: as above.
            unsafe { _pdep_u64(word, mask) }
        }

        #[inline(always)]
        fn word_of(self, bytes: &[u8; 64]) -> u64 {
            // SAFETY: as above; the load is of 64 bytes that are there.
            unsafe { _mm512_movepi8_mask(_mm512_loadu_si512(bytes.as_ptr().cast())) }
        }

        #[inline(always)]
        fn bytes_of(self, word: u64) -> [u8; 64] {
            // SAFETY: as above.
            unsafe { bytes(_mm512_movm_epi8(word)) }
        }

        #[inline(always)]
        fn crossed(self, words: &[u64; 8]) -> [u8; 64] {
            let mut bit = 1u8;
            // SAFETY: as above.
            unsafe {
                let mut all = _mm512_setzero_si512();
                for word in words {
                    let own = _mm512_maskz_set1_epi8(*word, bit as i8);
                    all = _mm512_or_si512(all, own);
                    bit = bit.wrapping_shl(1);
                }
                bytes(all)
            }
        }

        #[inline(always)]
        fn permuted(self, from: &[u8], index: &[u8; 64], shift: &[u8; 64]) -> [u8; 64] {
            let missing = (64 - from.len().min(64)) as u32;
            let mask = u64::MAX.checked_shr(missing).unwrap_or(0);
            // SAFETY: as above; the first load is of the bytes of the mask, which are there, and
            // touches no other; the others are of arrays of 64 bytes.
            unsafe {
                let from = _mm512_maskz_loadu_epi8(mask, from.as_ptr().cast());
                let index = _mm512_loadu_si512(index.as_ptr().cast());
                let shift = _mm512_loadu_si512(shift.as_ptr().cast());
                let own = _mm512_permutexvar_epi8(index, from);
                bytes(_mm512_multishift_epi64_epi8(shift, own))
            }
        }
    }
}

/// Calls `check` at every level that the machine has, one after the other; nobody else changes
/// the level meanwhile.
#[cfg(test)]
pub(crate) fn at_each_level(mut check: impl FnMut(Level)) {
    static ONE: parking_lot::Mutex<()> = parking_lot::Mutex::new(());
    let _one = ONE.lock();
    for most in Level::ALL.into_iter().filter(|level| *level <= found()) {
        limit(most);
        check(most);
    }
    limit(Level::Avx512);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixed(number: u64) -> u64 {
        let number = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (number ^ number >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9).rotate_left(23)
    }

    /// Everything that a level does, of numbers drawn from a seed.
    struct All(u64);

    impl Kernel for All {
        type Out = (Level, Vec<u64>, Vec<[u8; 64]>, [u32; EIGHT], [i64; EIGHT]);

        #[inline(always)]
        fn run<C: Cpu>(self, cpu: C) -> Self::Out {
            let draw = |salt: u64| mixed(self.0.wrapping_mul(97).wrapping_add(salt));
            let byte = |salt: u64| draw(salt).to_le_bytes()[3];
            let bytes: [u8; 64] = std::array::from_fn(|at| byte(at as u64));
            let index: [u8; 64] = std::array::from_fn(|at| byte(at as u64 + 64) % 64);
            let shift: [u8; 64] = std::array::from_fn(|at| byte(at as u64 + 128) % 64);
            let words: [u64; 8] = std::array::from_fn(|at| draw(at as u64 + 192));
            let part = bytes.get(..usize::from(index[0]) + 1).unwrap_or_default();
            let low: [u8; 16] = std::array::from_fn(|at| bytes[at]);
            let high: [u8; 16] = std::array::from_fn(|at| bytes[at + 20]);
            let places: [u8; 32] = std::array::from_fn(|at| index[at] % 16);
            let moved: [u32; EIGHT] = std::array::from_fn(|at| u32::from(shift[at] % 32));
            let masks = [0, 1, u64::MAX, words[0], words[1] & words[2], 1 << 63];
            let bits = |mask: u64| [cpu.extract(words[3], mask), cpu.deposit(words[4], mask)];
            let mut found: Vec<u64> = masks.into_iter().flat_map(bits).collect();
            found.push(cpu.word_of(&bytes));
            let bytes =
                [cpu.bytes_of(words[5]), cpu.crossed(&words), cpu.permuted(part, &index, &shift)];
            let numbers = words.map(u64::cast_signed);
            let mask = index[1] << 2 | index[2] & 3;
            let expanded = cpu.expanded(&numbers, mask);
            found.extend(cpu.compressed(&numbers, mask).map(i64::cast_unsigned));
            let moved = cpu.shuffle([&low, &high], &places, &moved);
            (C::LEVEL, found, bytes.to_vec(), moved, expanded)
        }
    }

    #[test]
    fn every_level_gives_what_the_lowest_gives() {
        #[derive(Clone, Copy)]
        struct Said;
        impl Cpu for Said {
            const LEVEL: Level = Level::Plain;
        }
        at_each_level(|level| {
            for seed in 0..500 {
                let (_, words, bytes, numbers, expanded) = All(seed).run(Said);
                let said = (level, words, bytes, numbers, expanded);
                assert_eq!(run(All(seed)), said, "seed {seed}");
            }
        });
    }

    #[test]
    fn what_the_primitives_say() {
        let cpu = Plain(());
        assert_eq!(cpu.extract(0b1010_1100, 0b1111_0000), 0b1010);
        assert_eq!(cpu.deposit(0b101, 0b1001_0100), 0b1000_0100);
        assert_eq!(cpu.expanded(&[5, 6, 7, 8, 9, 1, 2, 3], 0b1010_0100), [0, 0, 5, 0, 0, 6, 0, 7]);
        assert_eq!(cpu.placed(&[5, 6, 7, 8, 9, 1, 2, 3], 3, 7), (0b0110_0000, 0b1000_0111));
        assert_eq!(
            cpu.compressed(&[5, 6, 7, 8, 9, 1, 2, 3], 0b1010_0100),
            [7, 1, 3, 0, 0, 0, 0, 0]
        );
        let word = 0x8000_0000_0000_0103;
        let bytes = cpu.bytes_of(word);
        for (bit, byte) in bytes.iter().enumerate() {
            assert_eq!(*byte, if word >> bit & 1 == 1 { 0xFF } else { 0 }, "bit {bit}");
        }
        assert_eq!(cpu.word_of(&bytes), word);
        let crossed = cpu.crossed(&[1, 2, 4, 8, 1 << 63, 0, 0, u64::MAX]);
        assert_eq!(crossed[..5], [0x81, 0x82, 0x84, 0x88, 0x80]);
        assert_eq!(crossed[63], 0x90);
    }

    #[test]
    fn a_limit_is_kept_and_never_beyond_the_machine() {
        at_each_level(|level| {
            assert_eq!(super::level(), level);
            assert_eq!(limit(level), level);
            assert!(level <= found());
        });
    }
}
