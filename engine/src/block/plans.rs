//! How numbers of each width come out of their bytes where the processor moves bytes by a table.
//!
//! Invariant: a plan that fits names no byte and no shift beyond what the instruction takes.
#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "computed while compiling: what is out of bounds does not compile"
)]

use crate::cpu::EIGHT;

/// A vector of 64 bytes of numbers in the narrowest lane that holds them.
pub(super) struct Plan {
    /// Whether the numbers of each eight bytes of the vector lie in eight bytes.
    pub fits: bool,
    /// For each byte of the vector which byte of the packed numbers it is taken from.
    pub index: [u8; 64],
    /// For each byte of the vector from which bit on, in its eight bytes.
    pub shift: [u8; 64],
}

/// Eight numbers in lanes of 32 bits, each four from 16 bytes.
pub(super) struct Eights {
    /// Whether each number lies in four bytes.
    pub fits: bool,
    /// For each byte of the lanes which byte of the sixteen it is taken from.
    pub index: [u8; 32],
    /// By how many bits each lane is shifted to the right.
    pub shift: [u32; EIGHT],
}

/// Plans by width. Bytes of numbers begin at a whole byte.
pub(super) static PLANS: [Plan; 65] = {
    let mut plans = [const { Plan { fits: false, index: [0; 64], shift: [0; 64] } }; 65];
    let mut bits = 1;
    while bits <= 64 {
        plans[bits] = plan(bits);
        bits += 1;
    }
    plans
};

/// As [`PLANS`]: the second four numbers are read from byte `bits / 2` on.
pub(super) static EIGHTS: [Eights; 33] = {
    let mut plans = [const { Eights { fits: false, index: [0; 32], shift: [0; EIGHT] } }; 33];
    let mut bits = 1;
    while bits <= 32 {
        plans[bits] = eights(bits);
        bits += 1;
    }
    plans
};

const fn plan(bits: usize) -> Plan {
    // Bytes of a lane.
    let lane = match bits {
        0..=8 => 1,
        9..=16 => 2,
        17..=32 => 4,
        _ => 8,
    };
    let mut plan = Plan { fits: true, index: [0; 64], shift: [0; 64] };
    let mut at = 0;
    while at < 64 {
        // The eight bytes begin where the first of their numbers does.
        let first = at / 8 * (8 / lane) * bits;
        let (number, byte) = (at % 8 / lane, at % lane);
        let start = first % 8 + number * bits;
        plan.fits &= start + bits <= 64 && first / 8 + at % 8 < 64;
        plan.index[at] = (first / 8 + at % 8) as u8 % 64;
        plan.shift[at] = ((start + byte * 8) % 64) as u8;
        at += 1;
    }
    plan
}

const fn eights(bits: usize) -> Eights {
    let mut plan = Eights { fits: true, index: [0; 32], shift: [0; EIGHT] };
    let mut at = 0;
    while at < EIGHT {
        let begin = at / 4 * (bits / 2) * 8;
        let (place, shift) = ((at * bits - begin) / 8, (at * bits - begin) % 8);
        plan.fits &= shift + bits <= 32 && place + 3 < 16;
        let mut byte = 0;
        while byte < 4 {
            plan.index[at * 4 + byte] = (place + byte) as u8 % 16;
            byte += 1;
        }
        plan.shift[at] = shift as u32;
        at += 1;
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearly_every_width_has_a_plan() {
        let fits = |bits: &usize| PLANS[*bits].fits;
        let without: Vec<usize> = (1..=64).filter(|bits| !fits(bits)).collect();
        assert_eq!(without, [31, 59, 61, 62, 63]);
        let without: Vec<usize> = (1..=32).filter(|bits| !EIGHTS[*bits].fits).collect();
        assert_eq!(without, [27, 29, 30, 31]);
    }
}
