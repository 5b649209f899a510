//! A picture: its bytes are in the tree.
//!
//! The plugin fetches it, with its own right to send requests and through the host's checks; the reader's browser
//! fetches nothing. So a picture cannot tell anybody who looks, and no address of a plugin is ever requested by a page.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Text;
use super::builder::node;

/// How many bytes a picture may have: an eighth of a tree, encoded a sixth.
pub const MAX_IMAGE_BYTES: usize = 128 * 1024;

/// A picture.
///
/// ```
/// use callboard_model::ui::{Image, ImageData};
///
/// let bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
/// let image = Image::new(ImageData::of(bytes)?, "The dashboard's last hour").width(320_u32);
/// assert_eq!(image.data.media_type(), "image/png");
/// # Ok::<(), callboard_model::ui::ImageError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// The bytes, in Base64.
    pub data: ImageData,
    /// What is to be seen, for those who do not see it.
    pub alt: Text,
    /// Pixels; as wide as the picture is, or as there is room, where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
}

impl Image {
    /// This picture.
    pub fn new(data: ImageData, alt: impl Into<Text>) -> Self {
        Self { data, alt: alt.into(), width: None }
    }
}

node!(Image in Image { optional width: u32, });

/// A picture's bytes: PNG, JPEG, GIF or WebP, which is told by how they begin. SVG is a document and no picture here.
///
/// ```
/// use callboard_model::ui::ImageData;
///
/// assert_eq!(ImageData::of(b"GIF89a")?.media_type(), "image/gif");
/// assert!(ImageData::of(b"<svg onload='alert(1)'/>").is_err());
/// # Ok::<(), callboard_model::ui::ImageError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ImageData {
    media_type: &'static str,
    base64: String,
}

impl ImageData {
    /// Checks what the bytes are.
    ///
    /// # Errors
    /// They are too many, or no picture of a kind that is shown.
    pub fn of(bytes: &[u8]) -> Result<Self, ImageError> {
        if bytes.len() > MAX_IMAGE_BYTES {
            return Err(ImageError::Size(bytes.len()));
        }
        let media_type = media_type(bytes).ok_or(ImageError::Type)?;
        Ok(Self { media_type, base64: STANDARD.encode(bytes) })
    }

    /// `image/png`, `image/jpeg`, `image/gif` or `image/webp`.
    pub fn media_type(&self) -> &'static str {
        self.media_type
    }

    /// As a `data:` URL, which is the only kind of URL that a picture of a plugin has.
    pub fn url(&self) -> String {
        format!("data:{};base64,{}", self.media_type, self.base64)
    }
}

fn media_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

impl fmt::Debug for ImageData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ImageData({}, {} characters)", self.media_type, self.base64.len())
    }
}

impl Serialize for ImageData {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.base64)
    }
}

impl<'de> Deserialize<'de> for ImageData {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // Decoded, and encoded anew: what shows is what was checked.
        let bytes = STANDARD.decode(text).map_err(|_| serde::de::Error::custom(ImageError::Encoding))?;
        Self::of(&bytes).map_err(serde::de::Error::custom)
    }
}

/// Why a picture is not shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// See [`MAX_IMAGE_BYTES`].
    #[error("a picture has {0} bytes; {MAX_IMAGE_BYTES} are allowed, so hand over a smaller one")]
    Size(usize),
    /// By its first bytes it is none of those that are shown.
    #[error("a picture is neither PNG nor JPEG, GIF or WebP")]
    Type,
    /// The text is no Base64.
    #[error("a picture's data is no Base64 of RFC 4648, with its padding")]
    Encoding,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_told_by_their_bytes() {
        let check = |text: &str, expected: Option<&str>| {
            let data = serde_json::from_value::<ImageData>(text.into());
            assert_eq!(data.as_ref().ok().map(ImageData::media_type), expected, "{text}: {data:?}");
        };
        check("iVBORw0KGgoAAAA=", Some("image/png"));
        check("/9j/4AAQ", Some("image/jpeg"));
        check("R0lGODlhAQAB", Some("image/gif"));
        check("UklGRgAAAABXRUJQ", Some("image/webp"));
        check("PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+", None);
        check("https://example.com/x.png", None);
        check("data:image/svg+xml,<svg/>", None);
        check("", None);
    }

    #[test]
    fn pictures_are_small() {
        let mut bytes = b"GIF89a".to_vec();
        bytes.resize(MAX_IMAGE_BYTES, 0);
        assert!(ImageData::of(&bytes).is_ok());
        bytes.push(0);
        assert_eq!(ImageData::of(&bytes), Err(ImageError::Size(MAX_IMAGE_BYTES + 1)));
    }
}
