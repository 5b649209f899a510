//! Files of any web server, as `backend.reading.allow` permits.

use http::StatusCode;
use url::Url;

use super::{Read, ReadError, UrlReader, Validator};
use crate::target;

impl UrlReader {
    pub(super) async fn read_plain(&self, url: Url, known: Option<&Validator>) -> Result<Read, ReadError> {
        let request = self.request(url.clone(), known)?;
        let response = self.send(request, &self.reading_policy()).await.map_err(|error| error.about(&url))?;
        match response.status {
            StatusCode::OK | StatusCode::NOT_MODIFIED => {
                Self::take(response, known).await.map_err(|error| error.about(&url))
            }
            status => Err(ReadError::from_status(target::shown(&url), status, None)),
        }
    }
}
