//! What every node has: the way into a tree, and a method for each field that may be left out.

/// `node!(Stat in Stat { optional note: Text, flag large })`: `From<Stat> for Node`, and the methods `note` and `large`.
macro_rules! node {
    ($name:ident in $variant:ident { $($rest:tt)* }) => {
        impl From<$name> for super::Node {
            fn from(node: $name) -> Self {
                Self::$variant(node)
            }
        }
        super::builder::part!($name { $($rest)* });
    };
}

/// The methods alone, for what is part of a node.
macro_rules! part {
    ($name:ident {
        $(optional $optional:ident: $type:ty,)*
        $(plain $plain:ident: $of:ty,)*
        $(flag $flag:ident,)*
    }) => {
        impl $name {
            $(
                #[doc = concat!("Sets [`", stringify!($name), "::", stringify!($optional), "`].")]
                #[must_use]
                pub fn $optional(mut self, $optional: impl Into<$type>) -> Self {
                    self.$optional = Some($optional.into());
                    self
                }
            )*
            $(
                #[doc = concat!("Sets [`", stringify!($name), "::", stringify!($plain), "`].")]
                #[must_use]
                pub fn $plain(mut self, $plain: impl Into<$of>) -> Self {
                    self.$plain = $plain.into();
                    self
                }
            )*
            $(
                #[doc = concat!("Sets [`", stringify!($name), "::", stringify!($flag), "`].")]
                #[must_use]
                pub fn $flag(mut self) -> Self {
                    self.$flag = true;
                    self
                }
            )*
        }
    };
}

/// `child` and `children`, for what holds other nodes.
macro_rules! parent {
    ($name:ident) => {
        impl $name {
            /// Adds a child.
            #[must_use]
            pub fn child(mut self, child: impl Into<super::Node>) -> Self {
                self.children.push(child.into());
                self
            }

            /// Adds several.
            #[must_use]
            pub fn children<N: Into<super::Node>>(mut self, children: impl IntoIterator<Item = N>) -> Self {
                self.children.extend(children.into_iter().map(Into::into));
                self
            }
        }
    };
}

pub(super) use {node, parent, part};
