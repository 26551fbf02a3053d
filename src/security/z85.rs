//! Keys in [Z85](https://rfc.zeromq.org/spec/32/): how they must look.

/// The length of a key, in characters.
const LENGTH: usize = 40;

/// How many digits stand for four bytes.
const GROUP: usize = 5;

/// The digits, from 0 to 84.
const DIGITS: &[u8; 85] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/// The numbers of the digits, by their ASCII codes.
const NUMBERS: [Option<u8>; 128] = {
    let mut numbers = [None; 128];
    let mut number = 0;
    while number < DIGITS.len() {
        numbers[DIGITS[number] as usize] = Some(number as u8);
        number += 1;
    }
    numbers
};

/// Checks a key. The error says what is wrong with it, and does not show the text, which may be a secret key.
///
/// The `zmq` crate's `z85_decode` is not used: it accepts any characters, and leaks a copy of them.
pub(super) fn check(text: &str) -> Result<(), String> {
    let length = text.chars().count();
    if length != LENGTH {
        return Err(format!("it has {length} characters, and a key has {LENGTH} characters"));
    }
    let mut group: u64 = 0;
    for (place, character) in (1..).zip(text.chars()) {
        let number = NUMBERS.get(character as usize).copied().flatten();
        let number = number.ok_or_else(|| format!("its character {place} is not a digit of Z85"))?;
        group = group * 85 + u64::from(number);
        if place % GROUP == 0 {
            // The highest numbers of five digits do not fit into four bytes.
            u32::try_from(group)
                .map_err(|_| format!("its characters {} to {place} are too large for Z85", place - GROUP + 1))?;
            group = 0;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";

    #[test]
    fn fault_is_located() {
        check(KEY).unwrap();
        let faults = [
            (String::new(), "it has 0 characters"),
            (KEY[1..].to_owned(), "it has 39 characters"),
            (format!("{KEY}0"), "it has 41 characters"),
            (format!("\"{}", &KEY[1..]), "its character 1 is"),
            (format!("{}é", &KEY[..39]), "its character 40 is"),
            (
                format!("{}#####{}", &KEY[..5], &KEY[10..]),
                "its characters 6 to 10 are",
            ),
        ];
        for (text, fault) in faults {
            let error = check(&text).unwrap_err();
            assert!(error.starts_with(fault), "{text}: {error}");
        }
    }
}
