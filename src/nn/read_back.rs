//! A tensor's numbers: the one place that reads burn's tensors, which are the CPU's.

use burn::tensor::Tensor;

use crate::error::Error;

/// In row-major order.
pub(super) async fn floats<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, Error> {
    let internal = |what: String| Error::Internal { what };
    let data = tensor.into_data_async().await;
    let data = data.map_err(|error| internal(format!("read-back failed: {error:?}")))?;
    // The backend computes in f32. `convert` would bring every type's conversion into the WASM.
    data.try_into_vec::<f32>()
        .map_err(|error| internal(format!("read-back is not f32: {error:?}")))
}
