//! Device memory to host numbers: the one place that reads a tensor.
//!
//! On WebGPU every read must be asynchronous (a synchronous one panics in WASM), costs 5-15 ms
//! whatever its size, and is where a lost device or exhausted memory shows.

use burn::tensor::Tensor;

use crate::error::Error;

/// The tensor's numbers in row-major order.
pub(super) async fn floats<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, Error> {
    let data = tensor
        .into_data_async()
        .await
        .map_err(|error| classify(&format!("{error:?}")))?;
    // Both backends compute in f32. `convert` would bring every type's conversion into the WASM.
    data.try_into_vec::<f32>().map_err(|error| Error::Internal {
        what: format!("read-back is not f32: {error:?}"),
    })
}

/// Runtime errors arrive as text; the two a caller can act on are told apart by their words.
fn classify(text: &str) -> Error {
    let lower = text.to_lowercase();
    if lower.contains("lost") || lower.contains("destroyed") {
        Error::DeviceLost { what: text.into() }
    } else if lower.contains("out of memory") || lower.contains("outofmemory") {
        Error::OutOfMemory { what: text.into() }
    } else {
        Error::Internal { what: text.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_device_and_exhausted_memory_have_codes_of_their_own() {
        for (text, code) in [
            ("Device lost: unknown", "device_lost"),
            ("the device was destroyed", "device_lost"),
            ("Out of Memory", "out_of_memory"),
            ("shader failed", "internal"),
        ] {
            assert_eq!(classify(text).code(), code, "{text}");
        }
    }
}
