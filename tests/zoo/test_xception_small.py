"""`xception_small` is the network of the thesis's annex A, row by row."""

ANNEX_A = """
    Conv2D 32 32 32 320
    BatchNormalization 32 32 32 128
    Activation 32 32 32 0
    Conv2D 32 32 64 18496
    BatchNormalization 32 32 64 256
    Activation 32 32 64 0
    Activation 32 32 64 0
    SeparableConv2D 32 32 9 1161
    BatchNormalization 32 32 9 36
    Activation 32 32 9 0
    SeparableConv2D 32 32 9 171
    BatchNormalization 32 32 9 36
    MaxPooling2D 16 16 9 0
    Activation 16 16 9 0
    SeparableConv2D 16 16 728 7361
    BatchNormalization 16 16 728 2912
    Activation 16 16 728 0
    SeparableConv2D 16 16 728 537264
    BatchNormalization 16 16 728 2912
    Activation 16 16 728 0
    SeparableConv2D 16 16 728 537264
    BatchNormalization 16 16 728 2912
    Activation 16 16 728 0
    SeparableConv2D 16 16 728 537264
    BatchNormalization 16 16 728 2912
    Activation 16 16 728 0
    SeparableConv2D 16 16 1024 753048
    BatchNormalization 16 16 1024 4096
    MaxPooling2D 8 8 1024 0
    Activation 8 8 1024 0
    SeparableConv2D 8 8 728 755416
    BatchNormalization 8 8 728 2912
    Activation 8 8 728 0
    SeparableConv2D 8 8 1024 753048
    BatchNormalization 8 8 1024 4096
    MaxPooling2D 4 4 1024 0
    Flatten 16384 0
    Dropout 16384 0
    Dense 64 1048640
    Dropout 64 0
    Dense 2 130
"""


def test_every_row_of_annex_a(facts):
    layers = facts["xception_small"]["layers"]
    built = [
        " ".join(map(str, [layer["kind"], *layer["shape"], layer["parameters"]]))
        for layer in layers
    ]
    assert built[0] == "InputLayer 64 64 1 0"
    assert built[-1] == "Activation 2 0"  # the softmax, part of annex A's last dense layer
    assert built[1:-1] == [row.strip() for row in ANNEX_A.strip().splitlines()]


def test_totals_of_annex_a(facts):
    fact = facts["xception_small"]
    assert fact["parameters"] == 4_972_791
    assert fact["non_trainable"] == 11_604
    assert fact["parameters"] - fact["non_trainable"] == 4_961_187
