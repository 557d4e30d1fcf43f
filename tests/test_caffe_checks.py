"""Every check Caffe makes of a layer: what breaks it is refused, at the field that is wrong.

A row is a layer type, the shapes of its bottoms, its fields, and what the line that is pointed at
says. Source: the CHECKs of BVLC/caffe, src/caffe/layers and include/caffe/filler.hpp.
"""

from __future__ import annotations

import re

import pytest

import netspec

# ruff: noqa: E501 - a row stands on one line
ROWS = """
# what every layer is asked
ReLU | 2,3 2,3 | | bottom
ReLU | 2,3 | top: "y" top: "z" | top
ReLU | | | layer
Dropout | 2,3 2,3 | | bottom
Sigmoid | 2,3 2,3 | | bottom
TanH | 2,3 | top: "y" top: "z" | top
Softmax | 2,3 2,3 | | bottom
LRN | 2,3,4,4 2,3,4,4 | | bottom
MVN | 2,3 2,3 | | bottom
BatchNorm | 2,3 2,3 | | bottom
InnerProduct | 2,3 2,3 | inner_product_param { num_output: 2 } | bottom
InnerProduct | 2,3 | top: "y" top: "z" inner_product_param { num_output: 2 } | top
Embed | 2 2 | embed_param { num_output: 2 input_dim: 3 } | bottom
Concat | | | layer
Concat | 2,3 2,3 | top: "y" top: "z" | top
Eltwise | 2,3 | | bottom
Eltwise | 2,3 2,3 | top: "y" top: "z" | top
Pooling | 2,3,4,4 2,3,4,4 | pooling_param { kernel_size: 2 } | bottom
Pooling | 2,3,4,4 | top: "y" top: "z" top: "w" pooling_param { kernel_size: 2 } | top
Pooling | 2,3,4,4 | top: "y" top: "z" pooling_param { kernel_size: 2 pool: AVE } | top
Convolution | 2,3,4,4 2,3,4,4 | convolution_param { num_output: 2 kernel_size: 1 } | top
Im2col | 2,3,4,4 2,3,4,4 | convolution_param { kernel_size: 1 } | bottom
Silence | 2,3 | top: "y" | top
Slice | 2,4 2,4 | top: "y" top: "z" | bottom
Split | 2,4 2,4 | top: "y" top: "z" | bottom
Flatten | 2,4 2,4 | | bottom
Reshape | 2,4 2,4 | reshape_param { shape { dim: 8 } } | bottom
Tile | 2,4 2,4 | tile_param { tiles: 2 } | bottom
Reduction | 2,4 2,4 | | bottom
ArgMax | 2,4 2,4 | | bottom
Crop | 2,3,4,4 2,3,4,4 2,3,4,4 | | bottom
BatchReindex | 2,3 | | bottom
BatchReindex | 2,3 2 2 | | bottom
Filter | 2,3 | | bottom
Parameter | 2,3 | parameter_param { shape { dim: 2 } } | bottom
PReLU | 2,3 2,3 | | bottom
Scale | 2,3 3 3 | | bottom
Bias | 2,3 3 3 | | bottom
SPP | 2,3,4,4 2,3,4,4 | spp_param { pyramid_height: 1 } | bottom
Accuracy | 2,3 | | bottom
Accuracy | 2,3 2 2 | | bottom
Accuracy | 2,3 2 | top: "y" top: "z" top: "w" | top
SoftmaxWithLoss | 2,3 2 2 | | bottom
SoftmaxWithLoss | 2,3 2 | top: "y" top: "z" top: "w" | top
EuclideanLoss | 2,3 | | bottom
EuclideanLoss | 2,3 2,3 | top: "y" top: "z" | top
HingeLoss | 2,3 | | bottom
HingeLoss | 2,3 2 | top: "y" top: "z" | top
InfogainLoss | 2,3 | | bottom
InfogainLoss | 2,3 2 3,3 3,3 | | bottom
InfogainLoss | 2,3 2 3,3 | top: "y" top: "z" top: "w" | top
ContrastiveLoss | 2,3 2,3 | | bottom
ContrastiveLoss | 2,3 2,3 2 2 | | bottom
ContrastiveLoss | 2,3 2,3 2 | top: "y" top: "z" | top
MultinomialLogisticLoss | 2,3 | | bottom
MultinomialLogisticLoss | 2,3 2 | top: "y" top: "z" | top
SigmoidCrossEntropyLoss | 2,3 | | bottom
LSTM | 4,2,3 | recurrent_param { num_output: 2 } | bottom
LSTM | 4,2,3 4,2 2,1 2,1 | recurrent_param { num_output: 2 } | name
LSTM | 4,2,3 4,2 | top: "y" top: "z" recurrent_param { num_output: 2 } | top
RNN | 4,2,3 | recurrent_param { num_output: 2 } | bottom
RNN | 4,2,3 4,2 1,2,2 | top: "y" recurrent_param { num_output: 2 expose_hidden: true } | top
RNN | 4,2,3 4,2 | top: "y" top: "z" recurrent_param { num_output: 2 expose_hidden: true } | name
LSTMUnit | 1,2,3 1,2,12 | top: "c" top: "h" | bottom
LSTMUnit | 1,2,3 1,2,12 1,2 | top: "c" | top
ReLU | 2,3 | loss_weight: 1 loss_weight: 1 | loss_weight
Split | 2,4 | top: "y" top: "z" loss_weight: 1 | loss_weight
ReLU | 2,3 | propagate_down: true propagate_down: true | propagate_down
Eltwise | 2,3 2,3 | propagate_down: true | propagate_down
ReLU | 2,3 | param { lr_mult: 1 } | param
InnerProduct | 2,3 | param { } param { } param { } inner_product_param { num_output: 2 } | param
InnerProduct | 2,3 | param { } param { } inner_product_param { num_output: 2 bias_term: false } | param
ReLU | 2,3 | include { phase: TEST } exclude { phase: TRAIN } | clude

# windows
Convolution | 2,3,4,4 | convolution_param { num_output: 2 } | convolution_param
Convolution | 2,3,4,4 | convolution_param { num_output: 2 kernel_size: 0 } | kernel_size
Convolution | 2,3,4,4 | convolution_param { num_output: 2 kernel_size: 1 kernel_w: 1 } | kernel_w
Convolution | 2,3,4,4 | convolution_param { num_output: 2 kernel_w: 1 } | kernel_w
Convolution | 2,3,4,4 | convolution_param { num_output: 2 kernel_h: 0 kernel_w: 1 } | kernel_h
Convolution | 2,3,4 | convolution_param { num_output: 2 kernel_h: 1 kernel_w: 1 } | kernel_h
Convolution | 2,3,4,4 | convolution_param { num_output: 2 kernel_size: 1 stride: 1 stride_h: 1 } | stride_h
Convolution | 2,3,4,4 | convolution_param { num_output: 2 kernel_size: 1 stride_h: 0 stride_w: 1 } | stride_h
Convolution | 2,3,4,4 | convolution_param { num_output: 2 kernel_size: 1 stride_w: 2 } | stride_w
Convolution | 2,3,4 | convolution_param { num_output: 2 kernel_size: 1 stride_h: 1 stride_w: 1 } | stride_h
Convolution | 2,3,4 | convolution_param { num_output: 2 kernel_size: 1 pad_h: 1 pad_w: 1 } | pad_h
Convolution | 2,3,4,4 | convolution_param { num_output: 2 kernel_size: 1 stride: 0 stride: 1 } | stride
Convolution | 2,3,4,4 | convolution_param { num_output: 2 kernel_size: 1 stride: 1 stride: 1 stride: 1 } | stride
Convolution | 2,3,4,4 | convolution_param { num_output: 2 kernel_size: 1 pad: 1 pad_w: 1 } | pad_w
Convolution | 2,3,4,4 | convolution_param { num_output: 2 kernel_size: 1 pad: 1 pad: 1 pad: 1 } | pad
Convolution | 2,3,4,4 | convolution_param { num_output: 2 kernel_size: 1 pad: -1 } | pad
Convolution | 2,3,4,4 | convolution_param { num_output: 2 kernel_size: 1 dilation: 1 dilation: 1 dilation: 1 } | dilation
Convolution | 2,3,4,4 | convolution_param { num_output: 0 kernel_size: 1 } | num_output
Convolution | 2,3,4,4 | convolution_param { num_output: -2 kernel_size: 1 } | num_output
Convolution | 2,3,4,4 | convolution_param { num_output: 3 kernel_size: 1 group: 6 } | group
Convolution | 2,4,4,4 | convolution_param { num_output: 3 kernel_size: 1 group: 2 } | group
Convolution | 2,3,4,4 | convolution_param { num_output: 2 kernel_size: 1 axis: 4 } | axis
Convolution | 2,3,4,4 | convolution_param { num_output: 2 kernel_size: 1 axis: -5 } | axis
Convolution | 2,3,4,4 | convolution_param { num_output: 2 kernel_size: 5 } | kernel_size
Convolution | 2,3,4,4 | convolution_param { num_output: 2 kernel_size: 3 dilation: 2 } | kernel_size
Convolution | 2,3,4,4 2,3,4,5 | top: "y" top: "z" convolution_param { num_output: 2 kernel_size: 1 } | bottom
Convolution | 2,3,4,4 3,3,4,4 | top: "y" top: "z" convolution_param { num_output: 2 kernel_size: 1 } | bottom
Deconvolution | 2,3,4,4 | convolution_param { num_output: 2 } | convolution_param
Deconvolution | 2,3,4,4 | convolution_param { kernel_size: 2 } | convolution_param
Deconvolution | 2,3,4,4 | convolution_param { num_output: 2 kernel_size: 2 group: 2 } | group
Deconvolution | 2,4,4,4 | convolution_param { num_output: 3 kernel_size: 2 group: 2 } | group
Deconvolution | 2,3,1,1 | convolution_param { num_output: 2 kernel_size: 2 pad: 1 } | kernel_size
Deconvolution | 2,3,4,4 | convolution_param { num_output: 2 kernel_size: 2 stride: 0 } | stride
Im2col | 2,3,4,4 | | name
Im2col | 2,3,4,4 | convolution_param { kernel_size: 0 } | kernel_size
Im2col | 2,3,4,4 | convolution_param { kernel_h: 2 } | kernel_h
Im2col | 2,3,4,4 | convolution_param { kernel_size: 5 } | kernel_size
Im2col | 2,3,4,4 | convolution_param { kernel_size: 2 stride: 0 } | stride
Im2col | 2,3,4,4 | convolution_param { kernel_size: 1 axis: 3 } | name
Im2col | 2,3,4,4 | convolution_param { kernel_size: 1 pad: 1 pad_h: 1 } | pad_h
Im2col | 2,3,4,4 | convolution_param { kernel_size: 1 kernel_size: 1 kernel_size: 1 } | kernel_size
Pooling | 2,3,4,4 | | name
Pooling | 2,3,4,4 | pooling_param { kernel_w: 2 } | kernel_w
Pooling | 2,3,4,4 | pooling_param { kernel_size: 2 kernel_w: 2 } | kernel_w
Pooling | 2,3,4,4 | pooling_param { kernel_size: 2 stride_h: 2 } | stride_h
Pooling | 2,3,4,4 | pooling_param { kernel_size: 2 stride_w: 2 } | stride_w
Pooling | 2,3,4,4 | pooling_param { kernel_size: 2 stride: 2 stride_h: 2 stride_w: 2 } | stride_h
Pooling | 2,3,4,4 | pooling_param { kernel_size: 2 pad_w: 1 } | pad_w
Pooling | 2,3,4,4 | pooling_param { kernel_size: 2 pad: 1 pad_h: 1 pad_w: 1 } | pad_h
Pooling | 2,3,4,4 | pooling_param { kernel_h: 0 kernel_w: 2 } | kernel_h
Pooling | 2,3,4,4 | pooling_param { kernel_size: 2 stride_h: 0 stride_w: 1 } | stride_h
Pooling | 2,3,4,4 | pooling_param { kernel_size: 2 pad: 2 } | pad
Pooling | 2,3,4,4 | pooling_param { kernel_h: 3 kernel_w: 2 pad_h: 0 pad_w: 2 } | pad_w
Pooling | 2,3,4,4 | pooling_param { kernel_size: 2 pad: 1 pool: STOCHASTIC } | p
Pooling | 2,3,4,4 | pooling_param { kernel_size: 6 } | kernel_size
Pooling | 2,3,4,4 | pooling_param { kernel_size: 5 round_mode: FLOOR } | kernel_size
Pooling | 2,3,4,4 | pooling_param { global_pooling: true kernel_h: 2 kernel_w: 2 } | kernel_h
Pooling | 2,3,4,4 | pooling_param { global_pooling: true pad: 1 } | pad
Pooling | 2,3,4,4 | pooling_param { global_pooling: true pad_h: 1 pad_w: 1 } | pad_h
Pooling | 2,3,4,4 | pooling_param { global_pooling: true stride_h: 2 stride_w: 2 } | stride_h
Pooling | 2,3 | pooling_param { kernel_size: 1 } | name
SPP | 2,3,4 | spp_param { pyramid_height: 1 } | name
SPP | 2,3,4,4,4 | spp_param { pyramid_height: 1 } | name
SPP | 2,3,4,4 | spp_param { pyramid_height: 0 } | pyramid_height
SPP | 2,3,4,4 | spp_param { pyramid_height: -1 } | pyramid_height
SPP | 2,3,4,4 | | type
SPP | 2,3,9,9 | spp_param { pyramid_height: 4 } | pyramid_height
SPP | 2,3,3,8 | spp_param { pyramid_height: 3 } | pyramid_height

# products and structure
InnerProduct | 2,3 | inner_product_param { num_output: 0 } | num_output
InnerProduct | 2,3 | | type
InnerProduct | 2,3 | inner_product_param { num_output: 2 axis: 2 } | axis
InnerProduct | 2,3 | inner_product_param { num_output: 2 axis: -3 } | axis
InnerProduct | 2 | inner_product_param { num_output: 2 } | inner_product_param
Embed | 2 | embed_param { num_output: 2 } | embed_param
Embed | 2 | embed_param { input_dim: 2 } | embed_param
Embed | 2 | embed_param { num_output: 0 input_dim: 2 } | num_output
Embed | 2 | embed_param { num_output: 2 input_dim: 0 } | input_dim
Concat | 2,3 2,3 | concat_param { axis: 1 concat_dim: 1 } | concat_dim
Concat | 2,3 2,3 | concat_param { axis: 2 } | axis
Concat | 2,3 2,3 | concat_param { axis: -3 } | axis
Concat | 2,3 2,3 | concat_param { concat_dim: 2 } | concat_dim
Concat | 2,3 2,3 | concat_param { concat_dim: -1 } | concat_dim
Concat | 2,3 2,3,1 | | bottom
Concat | 2,3 3,3 | | bottom
Concat | 2 2 | | type
Slice | 2,4 | top: "y" top: "z" slice_param { axis: 1 slice_dim: 1 } | slice_dim
Slice | 2,4 | top: "y" top: "z" slice_param { axis: 2 } | axis
Slice | 2,4 | top: "y" top: "z" slice_param { slice_dim: 2 } | slice_dim
Slice | 2,4 | top: "y" top: "z" slice_param { slice_point: 0 } | slice_point
Slice | 2,4 | top: "y" top: "z" top: "w" slice_param { slice_point: 2 slice_point: 1 } | slice_point
Slice | 2,4 | top: "y" top: "z" top: "w" slice_param { slice_point: 2 slice_point: 2 } | slice_point
Slice | 2,4 | top: "y" top: "z" top: "w" slice_param { slice_point: 2 } | slice_point
Slice | 2,4 | top: "y" slice_param { slice_point: 2 } | slice_point
Slice | 2,4 | top: "y" top: "z" slice_param { slice_point: 5 } | slice_point
Slice | 2,4 | top: "y" top: "z" top: "w" | top
Slice | 2,2 | top: "y" top: "z" top: "w" | top
Split | 2,4 | top: "x0" | top
Flatten | 2,3 | flatten_param { axis: 2 } | axis
Flatten | 2,3 | flatten_param { end_axis: 2 } | end_axis
Flatten | 2,3 | flatten_param { end_axis: 0 } | end_axis
Flatten | 2 | | type
Flatten | 2,3 | top: "x0" | top
Reshape | 2,3 | top: "x0" reshape_param { shape { dim: 6 } } | top
Reshape | 2,3 | reshape_param { shape { dim: -1 dim: -1 } } | shape
Reshape | 2,3 | reshape_param { shape { dim: 0 dim: 0 dim: 0 } } | shape
Reshape | 2,3 | reshape_param { shape { dim: 4 dim: -1 } } | shape
Reshape | 2,3 | reshape_param { shape { dim: 5 } } | shape
Reshape | 2,3 | reshape_param { shape { dim: 6 dim: -2 } } | dim
Reshape | 2,3 | reshape_param { axis: 3 shape { dim: 6 } } | axis
Reshape | 2,3 | reshape_param { axis: -4 shape { dim: 6 } } | axis
Reshape | 2,3 | reshape_param { num_axes: -2 shape { dim: 6 } } | num_axes
Reshape | 2,3 | reshape_param { axis: 1 num_axes: 2 shape { dim: 3 } } | num_axes
Reshape | 2,3 | | type
Crop | 2,3,4,4 2,3,2,2 | crop_param { axis: 4 } | axis
Crop | 2,3,4,4 2,3,2,2 | crop_param { axis: -5 } | axis
Crop | 2,3,4,4 2,3,2,2 | crop_param { offset: 1 offset: 1 offset: 1 } | offset
Crop | 2,3,4,4 2,3,2,2 | crop_param { offset: 3 } | bottom
Crop | 2,3,4,4 2,3,5,2 | | bottom
Crop | 2,3,4,4 2,3 | | bottom
Crop | 2,3 2,3 | | type
Eltwise | 2,3 2,3 | eltwise_param { coeff: 1 } | coeff
Eltwise | 2,3 2,3 | eltwise_param { coeff: 1 coeff: 1 coeff: 1 } | coeff
Eltwise | 2,3 2,3 | eltwise_param { coeff: 1 coeff: 1 operation: PROD } | coeff
Eltwise | 2,3 2,1 | | bottom
Eltwise | 2,3 2,3,1 | | bottom
Eltwise | 2,3 3,2 | | bottom
Reduction | 2,3 | reduction_param { axis: 2 } | axis
Reduction | 2,3 | reduction_param { axis: -3 } | axis
Reduction | 2,3 | reduction_param { operation: MAX } | operation
ArgMax | 2,3 | argmax_param { axis: 2 } | axis
ArgMax | 2,3 | argmax_param { axis: -3 } | axis
ArgMax | 2,3 | argmax_param { top_k: 0 } | top_k
ArgMax | 2,3 | argmax_param { top_k: 4 } | top_k
ArgMax | 2,3 | argmax_param { axis: 0 top_k: 3 } | top_k
Tile | 2,3 | tile_param { axis: 1 } | tile_param
Tile | 2,3 | tile_param { tiles: 0 } | tiles
Tile | 2,3 | tile_param { tiles: -1 } | tiles
Tile | 2,3 | tile_param { tiles: 2 axis: 2 } | axis
Filter | 2,3 2,3 2 | top: "y" | top
Filter | 2,3 2 | top: "y" top: "z" | top
Filter | 2,3 2,2 | | bottom
Filter | 2,3 3 | | bottom
BatchReindex | 2,3 2,1 | | bottom
Softmax | 2,3 | softmax_param { axis: 2 } | axis
Softmax | 2 | | type
Input | | input_param { shape { dim: 1 } shape { dim: 2 } } | shape
Input | | input_param { shape { dim: -1 } } | dim
Parameter | | parameter_param { shape { dim: -1 } } | name
DummyData | | | name
DummyData | | dummy_data_param { shape { dim: 1 } num: 1 channels: 1 height: 1 width: 1 } | num
DummyData | | dummy_data_param { num: 1 channels: 1 height: 1 } | num
DummyData | | dummy_data_param { num: 1 num: 2 num: 3 channels: 1 height: 1 width: 1 } | num
DummyData | | dummy_data_param { shape { dim: 1 } shape { dim: 2 } } | shape
DummyData | | dummy_data_param { shape { dim: 1 } data_filler { } data_filler { } } | data_filler
DummyData | | dummy_data_param { shape { dim: 1 } data_filler { type: "odd" } } | type
MemoryData | | top: "y" top: "z" memory_data_param { batch_size: 0 channels: 1 height: 1 width: 1 } | batch_size
MemoryData | | top: "y" top: "z" memory_data_param { batch_size: 1 channels: 1 height: 1 } | memory_data_param
MemoryData | | top: "y" memory_data_param { batch_size: 1 channels: 1 height: 1 width: 1 } | top
HDF5Data | | top: "y" hdf5_data_param { source: "x" batch_size: 1 } transform_param { scale: 2 } | transform_param

# activations and normalisation
AbsVal | 2,3 | top: "x0" | top
Exp | 2,3 | exp_param { base: 0 } | base
Exp | 2,3 | exp_param { base: -2 } | base
Log | 2,3 | log_param { base: 0 } | base
Log | 2,3 | log_param { base: -2 } | base
Log | 2,3 | log_param { base: 1 } | base
Clip | 2,3 | clip_param { max: 1 } | clip_param
Clip | 2,3 | clip_param { min: 1 } | clip_param
PReLU | 2 | | name
PReLU | 2,3,1,1,1 | | name
LRN | 2,3,4 | | name
LRN | 2,3,4,4,4 | | name
LRN | 2,3,4,4 | lrn_param { local_size: 4 } | local_size
LRN | 2,3,4,4 | lrn_param { local_size: 0 } | local_size
LRN | 2,3,4,4 | lrn_param { local_size: 2 norm_region: WITHIN_CHANNEL } | local_size
MVN | 2,3,4,4,4 | | name
BatchNorm | 2 | | name
BatchNorm | 2,3 | param { lr_mult: 1 } | lr_mult
BatchNorm | 2,3 | param { lr_mult: 0 } param { lr_mult: 0.5 } | lr_mult
Scale | 2,3 | scale_param { axis: 2 } | axis
Scale | 2,3 | scale_param { axis: -3 } | axis
Scale | 2,3 | scale_param { num_axes: 2 } | num_axes
Scale | 2,3 | scale_param { num_axes: -2 } | num_axes
Scale | 2,3 2 | | bottom
Scale | 2,3 3,1 | | bottom
Scale | 2,3 3 | scale_param { axis: -3 } | axis
Scale | 2 | | type
Bias | 2,3 | bias_param { axis: 2 } | axis
Bias | 2,3 | bias_param { num_axes: 2 } | num_axes
Bias | 2,3 | bias_param { num_axes: -2 } | num_axes
Bias | 2,3 2 | | bottom
Bias | 2,3 3,1 | | bottom
Bias | 2,3 3 | bias_param { axis: 2 } | axis

# losses
Accuracy | 2,3 3 | | bottom
Accuracy | 2,3,4 2 | | bottom
Accuracy | 2,3 2 | accuracy_param { axis: 2 } | axis
Accuracy | 2,3 2 | accuracy_param { axis: 0 } | bottom
Accuracy | 2,3 2 | accuracy_param { top_k: 4 } | top_k
SoftmaxWithLoss | 2,3 3 | | bottom
SoftmaxWithLoss | 2,3,4 2 | | bottom
SoftmaxWithLoss | 2,3,4 8 | | bottom
SoftmaxWithLoss | 2,3 2 | softmax_param { axis: 2 } | axis
SoftmaxWithLoss | 2,3 2 | top: "y" top: "z" | top
SoftmaxWithLoss | 2,3 2 | loss_param { normalization: ODD } | normalization
SoftmaxWithLoss | 2 2 | | type
SigmoidCrossEntropyLoss | 2,3 2,4 | | bottom
SigmoidCrossEntropyLoss | 2,3 3,2 | | bottom
SigmoidCrossEntropyLoss | 2,3 2,3 | top: "y" top: "z" | top
EuclideanLoss | 2,3 3,3 | | bottom
EuclideanLoss | 2,3 2,4 | | bottom
EuclideanLoss | 2,3 3,2 | | bottom
HingeLoss | 2,3 3 | | bottom
MultinomialLogisticLoss | 2,3 3 | | bottom
MultinomialLogisticLoss | 2,3 2,2 | | bottom
MultinomialLogisticLoss | 2,3 2,1,2 | | bottom
InfogainLoss | 2,3 2 | | name
InfogainLoss | 2,3 2 2,2 | | bottom
InfogainLoss | 2,3 3 3,3 | | bottom
InfogainLoss | 2,3 2 3,3 | infogain_loss_param { axis: 2 } | axis
InfogainLoss | 2,3,4 2 3,3 | | bottom
ContrastiveLoss | 2,3 2,4 2 | | bottom
ContrastiveLoss | 2,3 3,3 2 | | bottom
ContrastiveLoss | 2,3,2 2,3,2 2 | | bottom
ContrastiveLoss | 2,3,1,2 2,3,1,2 2 | | bottom
ContrastiveLoss | 2,3 2,3,2 2 | | bottom
ContrastiveLoss | 2,3 2,3 2,2 | | bottom
ContrastiveLoss | 2,3 2,3 2,1,2 | | bottom

# recurrence
LSTM | 4 4,2 | recurrent_param { num_output: 2 } | bottom
LSTM | 4,2,3 4 | recurrent_param { num_output: 2 } | bottom
LSTM | 4,2,3 4,3 | recurrent_param { num_output: 2 } | bottom
LSTM | 4,2,3 3,2 | recurrent_param { num_output: 2 } | bottom
LSTM | 4,2,3 4,2,1 | recurrent_param { num_output: 2 } | bottom
LSTM | 4,2,3 4,2 | recurrent_param { num_output: 0 } | num_output
LSTM | 4,2,3 4,2 | | type
LSTM | 4,2,3 4,2 3,5 | recurrent_param { num_output: 2 } | bottom
LSTM | 4,2,3 4,2 1,2,3 1,2,2 | top: "y" top: "h" top: "c" recurrent_param { num_output: 2 expose_hidden: true } | bottom
LSTM | 4,2,3 4,2 1,2,2 1,3,2 | top: "y" top: "h" top: "c" recurrent_param { num_output: 2 expose_hidden: true } | bottom
LSTM | 4,2,3 4,2 1,2,2 1,2,2 | top: "y" top: "h" recurrent_param { num_output: 2 expose_hidden: true } | top
RNN | 4,2,3 4,3 | recurrent_param { num_output: 2 } | bottom
RNN | 4,2,3 4,2 | recurrent_param { num_output: 0 } | num_output
RNN | 4,2,3 4,2 1,2,3 | top: "y" top: "h" recurrent_param { num_output: 2 expose_hidden: true } | bottom
LSTMUnit | 2,2,3 1,2,12 1,2 | top: "c" top: "h" | bottom
LSTMUnit | 1,2,3 2,2,12 1,2 | top: "c" top: "h" | bottom
LSTMUnit | 1,2,3 1,3,12 1,2 | top: "c" top: "h" | bottom
LSTMUnit | 1,2,3 1,2,11 1,2 | top: "c" top: "h" | bottom
LSTMUnit | 1,2,3 1,2,12 1,3 | top: "c" top: "h" | bottom
LSTMUnit | 1,2,3 1,2,12 2,2 | top: "c" top: "h" | bottom
LSTMUnit | 1,2,3 1,2,12 1,2,1 | top: "c" top: "h" | bottom
LSTMUnit | 1,2,3 1,2,3,4 1,2 | top: "c" top: "h" | bottom
LSTMUnit | 2,3 1,2,12 1,2 | top: "c" top: "h" | bottom

# fillers
InnerProduct | 2,3 | inner_product_param { num_output: 2 weight_filler { type: "Xavier" } } | type
InnerProduct | 2,3 | inner_product_param { num_output: 2 weight_filler { type: "bilinear" } } | weight_filler
InnerProduct | 2,3 | inner_product_param { num_output: 2 bias_filler { type: "gaussian" std: -1 } } | std
InnerProduct | 2,3 | inner_product_param { num_output: 2 weight_filler { type: "gaussian" std: 0 } } | std
InnerProduct | 2,3 | inner_product_param { num_output: 2 weight_filler { type: "gaussian" sparse: -2 } } | sparse
InnerProduct | 2,3 | inner_product_param { num_output: 2 weight_filler { type: "gaussian" sparse: 3 } } | sparse
InnerProduct | 2,3 | inner_product_param { num_output: 2 weight_filler { type: "xavier" sparse: 1 } } | sparse
InnerProduct | 2,3 | inner_product_param { num_output: 2 weight_filler { type: "msra" sparse: 1 } } | sparse
InnerProduct | 2,3 | inner_product_param { num_output: 2 weight_filler { type: "uniform" sparse: 1 } } | sparse
InnerProduct | 2,3 | inner_product_param { num_output: 2 weight_filler { type: "constant" sparse: 1 } } | sparse
InnerProduct | 2,3 | inner_product_param { num_output: 2 weight_filler { sparse: 0 } } | sparse
InnerProduct | 2,3 | inner_product_param { num_output: 2 weight_filler { type: "positive_unitball" sparse: 1 } } | sparse
Deconvolution | 2,3,4,4 | convolution_param { num_output: 2 kernel_size: 2 weight_filler { type: "bilinear" sparse: 1 } } | sparse
InnerProduct | 2,3 | inner_product_param { num_output: 2 weight_filler { type: "uniform" min: 1 max: 0.5 } } | m
InnerProduct | 2,3 | inner_product_param { num_output: 2 weight_filler { type: "uniform" min: 1.5 } } | min
InnerProduct | 2,3 | inner_product_param { num_output: 2 weight_filler { type: "xavier" variance_norm: FAN } } | variance_norm
Convolution | 2,3,4 | convolution_param { num_output: 2 kernel_size: 2 weight_filler { type: "bilinear" } } | weight_filler
Scale | 2,3 | scale_param { num_axes: 0 filler { type: "gaussian" sparse: 1 } } | sparse
Scale | 2,3 | scale_param { filler { type: "bilinear" } } | type
Bias | 2,3 | bias_param { filler { type: "bilinear" } } | type
PReLU | 2,3 | prelu_param { filler { type: "gaussian" std: 0 } } | std
Embed | 2 | embed_param { num_output: 2 input_dim: 3 weight_filler { type: "bilinear" } } | type
LSTM | 4,2,3 4,2 | recurrent_param { num_output: 2 weight_filler { type: "bilinear" } } | type
LSTM | 4,2,3 4,2 | recurrent_param { num_output: 2 weight_filler { type: "odd" } } | type
LSTM | 4,2,3 4,2 | recurrent_param { num_output: 2 bias_filler { type: "uniform" min: 2 } } | min
DummyData | | dummy_data_param { shape { dim: 3 } data_filler { type: "bilinear" } } | type
DummyData | | dummy_data_param { shape { dim: 3 } data_filler { type: "uniform" min: 2 } } | min
DummyData | | dummy_data_param { shape { dim: 3 } data_filler { type: "gaussian" std: 0 } } | std
"""


def rows() -> list[tuple[str, ...]]:
    found = []
    for line in ROWS.splitlines():
        if line and not line.startswith("#"):
            kind, shapes, fields, at = (part.strip() for part in line.split(" |"))
            found.append((kind, shapes, fields, at))
    return found


def layer_text(kind: str, shapes: str, fields: str) -> str:
    """Return a net of one layer, each field on a line of its own."""
    lines = ['name: "one"']
    names = []
    for index, shape in enumerate(shapes.split()):
        names.append(f"x{index}")
        dims = " ".join(f"dim: {size}" for size in shape.split(","))
        lines.append(f'layer {{ name: "x{index}" type: "Input" top: "x{index}"')
        lines.append(f"input_param {{ shape {{ {dims} }} }} }}")
    lines += ["layer {", 'name: "l"', f'type: "{kind}"']
    lines += [f'bottom: "{name}"' for name in names]
    if "top:" not in fields and kind != "Silence":
        lines.append('top: "l"')
    lines += re.sub(r"([{}]|\w+: *(?:\"\w*\"|[^\s{}]+))", r"\1\n", fields).split("\n")
    return "\n".join(line.strip() for line in [*lines, "}"] if line.strip()) + "\n"


def complain(kind: str, shapes: str, fields: str, at: str, folder) -> str:
    path = folder / "net.prototxt"
    path.write_text(layer_text(kind, shapes, fields))
    try:
        netspec.load(str(path))
    except netspec.SpecError as error:
        first = error.diagnostics[0]
        if first.severity != "error" or first.span is None:
            return f"no place: {first}"
        line = first.span.source.line(first.span.source.position(first.span.start)[0])
        return "" if at in line else f"points at `{line}`, not `{at}`: {first}"
    return "it is accepted"


@pytest.mark.parametrize("kind, shapes, fields, at", rows())
def test_refused(kind: str, shapes: str, fields: str, at: str, tmp_path) -> None:
    assert not complain(kind, shapes, fields, at, tmp_path)


NETS = {
    "its own bottom twice": ("Eltwise | x x | x", "top"),
    "a loss reads the top": ("ReLU | x | a | loss_weight: 1\nTanH | a | a", "top"),
    "another layer reads the bottom": ("ReLU | x | a\nTanH | x | x", "top"),
    "another layer makes the top": ("ReLU | x | a\nTanH | x | a", "top"),
    "one top twice": ("Split | x | a a", "top"),
    "no such bottom": ("ReLU | q | a", "bottom"),
    "a bottom made later": ("ReLU | b | a\nTanH | x | b", "bottom"),
    "no such type": ("Relu | x | a", "type"),
    "another shape of a shared weight": (
        'InnerProduct | x | a | param { name: "w" } inner_product_param { num_output: 3 }\n'
        'InnerProduct | x | b | param { name: "w" } inner_product_param { num_output: 4 }', "name"),
    "another rate of a shared weight": (
        'InnerProduct | x | a | param { name: "w" lr_mult: 2 } inner_product_param { num_output: 3 }\n'
        'InnerProduct | x | b | param { name: "w" lr_mult: 1 } inner_product_param { num_output: 3 }', "lr_mult"),
    "another decay of a shared weight": (
        'InnerProduct | x | a | param { name: "w" decay_mult: 2 } inner_product_param { num_output: 3 }\n'
        'InnerProduct | x | b | param { name: "w" decay_mult: 1 } inner_product_param { num_output: 3 }', "decay_mult"),
}  # fmt: skip


@pytest.mark.parametrize("name", NETS)
def test_net_refused(name: str, tmp_path) -> None:
    rows, at = NETS[name]
    layers = ['layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }']
    for index, row in enumerate(rows.splitlines()):
        kind, bottoms, tops, *fields = (part.strip() for part in row.split(" | "))
        named = [f'bottom: "{blob}"' for blob in bottoms.split()]
        named += [f'top: "{blob}"' for blob in tops.split()]
        spread = re.sub(r"([{}]|\w+: *(?:\"\w*\"|[^\s{}]+))", r"\1\n", " ".join(fields))
        head = ["layer {", f'name: "l{index}"', f'type: "{kind}"']
        layers += [*head, *named, spread, "}"]
    path = tmp_path / "net.prototxt"
    path.write_text("\n".join(layers))
    with pytest.raises(netspec.SpecError) as caught:
        netspec.load(str(path))
    first = caught.value.diagnostics[0]
    assert first.span is not None
    assert at in first.span.source.line(first.span.source.position(first.span.start)[0])


SOLVERS = """
lr_policy: "odd" | odd
momentum: 0.9 |
lr_policy: "step" gamma: 0.5 |
lr_policy: "step" gamma: 0.5 stepsize: 0 | stepsize
lr_policy: "step" gamma: -0.5 stepsize: 2 | gamma
lr_policy: "exp" gamma: -1 | gamma
lr_policy: "inv" gamma: -1 power: 1 | gamma
lr_policy: "multistep" gamma: -1 stepvalue: 1 | gamma
lr_policy: "sigmoid" gamma: 1 |
lr_policy: "fixed" type: "sgd" | type
lr_policy: "fixed" type: "AdaGrad" momentum: 0.9 | momentum
lr_policy: "fixed" type: "RMSProp" momentum: 0.9 | momentum
lr_policy: "fixed" type: "RMSProp" rms_decay: 1 | rms_decay
lr_policy: "fixed" type: "RMSProp" rms_decay: -0.1 | rms_decay
lr_policy: "fixed" solver_type: ADAGRAD momentum: 0.9 | momentum
lr_policy: "fixed" solver_type: SGD type: "SGD" | solver_type
lr_policy: "fixed" average_loss: 0 | average_loss
lr_policy: "fixed" train_net: "net.prototxt" | net
lr_policy: "fixed" test_iter: 1 | test_iter
lr_policy: "fixed" test_iter: 1 test_interval: 0 | test_iter
lr_policy: "fixed" test_iter: 1 test_interval: 1 test_state { } test_state { } | test_state
lr_policy: "fixed" test_net: "net.prototxt" test_interval: 1 | test_net
lr_policy: "fixed" regularization_type: "L3" weight_decay: 0.1 | regularization_type
lr_policy: "fixed" iter_size: 0 | iter_size
lr_policy: "fixed" unknown: 1 | unknown
lr_policy: "fixed" solver_mode: TPU | solver_mode
"""


@pytest.mark.parametrize("row", [row for row in SOLVERS.splitlines() if row])
def test_solver_refused(row: str, tmp_path) -> None:
    fields, at = (part.strip() for part in row.split(" |"))
    shapes = "2,3 2,3"
    (tmp_path / "net.prototxt").write_text(layer_text("EuclideanLoss", shapes, ""))
    path = tmp_path / "solver.prototxt"
    lines = re.sub(r"([{}]|\w+: *(?:\"[\w.]*\"|[^\s{}]+))", r"\1\n", fields)
    path.write_text(f'net: "net.prototxt"\nbase_lr: 0.1\n{lines}')
    with pytest.raises(netspec.SpecError) as caught:
        netspec.load(str(path), phase="train")
    first = caught.value.diagnostics[0]
    assert first.span is not None and first.span.source.name == str(path)
    assert at in first.span.source.line(first.span.source.position(first.span.start)[0])
