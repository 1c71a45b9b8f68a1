//! Numbers stored as bytes, for `#[serde(with)]`: a list of a hundred million numbers is no form to
//! store. Little-endian, as every machine is that runs this.

use bytemuck::Pod;
use serde::{Deserializer, Serializer, de::Error};
use serde_bytes::{ByteBuf, Bytes};

pub(super) fn serialize<T: Pod, S: Serializer>(
    values: &[T],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serde_bytes::serialize(Bytes::new(bytemuck::cast_slice(values)), serializer)
}

pub(super) fn deserialize<'de, T: Pod, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let bytes: ByteBuf = serde_bytes::deserialize(deserializer)?;
    if !bytes.len().is_multiple_of(size_of::<T>()) {
        return Err(D::Error::invalid_length(bytes.len(), &"whole numbers"));
    }
    let numbers = bytes.chunks_exact(size_of::<T>());
    Ok(numbers.map(bytemuck::pod_read_unaligned).collect())
}
