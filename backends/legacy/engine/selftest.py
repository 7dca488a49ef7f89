"""A convolution and its gradient against loops in NumPy (2.7): does this device compute?

An old CUDA build on a newer GPU can run without an error and give wrong numbers.
"""

TOLERANCE = 1e-4  # of numbers about 1, in float32; those of a sound device are off by 1e-6
SIZE, STEP = 3, 2  # of the kernel, and its stride


def errors_on(cntk, numpy):
    """Largest errors on CNTK's default device.

    Returns:
        (of a convolution, of its gradient by the kernel and by the images).
    """
    draw = numpy.random.RandomState(0)
    images = draw.randn(5, 3, 11, 9).astype("float32")
    kernel = draw.randn(4, 3, SIZE, SIZE).astype("float32") / SIZE
    weights = draw.randn(4, 5, 4).astype("float32")
    computed = _by_cntk(cntk, images, kernel, weights)
    expected = _by_loops(numpy, images, kernel, weights)
    value, by_kernel, by_images = [
        float(numpy.max(numpy.abs(ours - theirs))) for ours, theirs in zip(computed, expected)
    ]
    return value, max(by_kernel, by_images)


def _by_cntk(cntk, images, kernel, weights):
    given = cntk.input_variable(images.shape[1:], needs_gradient=True)
    learned = cntk.parameter(init=kernel)
    found = cntk.convolution(learned, given, strides=(STEP, STEP), auto_padding=[False])
    total = cntk.reduce_sum(found * cntk.constant(weights))
    gradients = total.grad({given: images}, wrt=[learned, given])
    return found.eval({given: images}), gradients[learned], gradients[given]


def _by_loops(numpy, images, kernel, weights):
    """The same in float64: a window at a time."""
    found = numpy.zeros((len(images),) + weights.shape)
    by_kernel, by_images = numpy.zeros(kernel.shape), numpy.zeros(images.shape)
    for row in range(weights.shape[1]):
        for column in range(weights.shape[2]):
            rows = slice(row * STEP, row * STEP + SIZE)
            columns = slice(column * STEP, column * STEP + SIZE)
            window = images[:, :, rows, columns].astype("float64")
            weight = weights[:, row, column].astype("float64")
            found[:, :, row, column] = numpy.tensordot(window, kernel, ([1, 2, 3], [1, 2, 3]))
            by_kernel += weight[:, None, None, None] * window.sum(0)
            by_images[:, :, rows, columns] += numpy.tensordot(weight, kernel, 1)
    return found, by_kernel, by_images
