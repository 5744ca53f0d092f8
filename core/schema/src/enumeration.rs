//! One macro for the closed enumerations of the specification (EVT-78).
//!
//! A value has a stored number that never changes and the name that every interface shows. The macro
//! writes both directions of both from one table, so that no list stands twice.

/// Makes an enumeration with stored numbers and interface names.
macro_rules! enumeration {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $number:literal, $text:literal;)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$doc])* $variant = $number,)+ }

        impl $name {
            /// Every value, in the order of the stored numbers' table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stored number.
            #[must_use]
            #[inline]
            pub const fn number(self) -> u8 {
                self as u8
            }

            /// The value of a stored number.
            #[must_use]
            #[inline]
            pub const fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)+ _ => None }
            }

            /// The name in every interface.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The value of an interface name; names are exact.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}
