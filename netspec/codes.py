"""Every diagnostic, one small class each, in stage order; the only place with message text."""

from __future__ import annotations

from .diagnostics import Code

# 1: text


class UnreadableFile(Code):
    """The file cannot be read: it is missing, a directory, a device, or not permitted."""

    id = "E100"
    message = "cannot read {file}: {reason}"


class NotUtf8(Code):
    """A spec is UTF-8 text. Another encoding is never guessed."""

    id = "E101"
    message = "not UTF-8 at byte {offset}: {reason}"
    hint = "save the file as UTF-8"


class ForbiddenCharacter(Code):
    """A character that is invisible, or that editors and parsers read differently.

    Control characters, bidirectional overrides and Unicode line breaks make a file
    look different from what it says. Write them as escapes in a quoted string.
    """

    id = "E102"
    message = "the character {character} is not allowed in a spec"
    hint = "remove it, or write it as an escape in double quotes"


class FileTooLarge(Code):
    """The text is larger than the limit for one file."""

    id = "E103"
    message = "the file has more than {limit} bytes"


class YamlSyntax(Code):
    """The text is not YAML."""

    id = "E104"
    message = "{problem}"


class DuplicateKey(Code):
    """A mapping holds one key twice; YAML readers would silently keep the last."""

    id = "E105"
    message = "the key `{key}` is given twice"
    hint = "keep one of them"


class KeyNotText(Code):
    """A key of a mapping must be text."""

    id = "E106"
    message = "a key must be text, not {found}"
    hint = "put it in quotes"


class TagNotAllowed(Code):
    """YAML tags are not read: a spec is plain data."""

    id = "E107"
    message = "tags are not allowed: `{tag}`"
    hint = "remove the tag"


class RecursiveAlias(Code):
    """An alias stands inside the value it names, so the value would have no end."""

    id = "E108"
    message = "the alias `*{anchor}` stands inside its own anchor"


class UndefinedAlias(Code):
    """An alias names an anchor that does not stand before it."""

    id = "E109"
    message = "no anchor `&{anchor}` stands before this alias"


class TooDeep(Code):
    """Values may be nested only so deep."""

    id = "E110"
    message = "values are nested deeper than {limit}"


class TooManyNodes(Code):
    """With every alias written out, the document would hold too many values."""

    id = "E111"
    message = "the aliases of this document expand to more than {limit} values"
    hint = "`&{anchor}` grows the most"


class SeveralDocuments(Code):
    """A file holds one spec."""

    id = "E112"
    message = "a second YAML document starts here"
    hint = "put each spec in a file of its own"


class EmptyDocument(Code):
    """The file holds no value."""

    id = "E113"
    message = "the document is empty"


class NumberOutOfRange(Code):
    """Integers must fit 63 bits, and every number must be finite."""

    id = "E114"
    message = "the number {value} is out of range"
    hint = "integers fit 63 bits and other numbers are finite"


class BadMergeKey(Code):
    """`<<` takes a mapping, or a list of mappings."""

    id = "E115"
    message = "`<<` takes a mapping or a list of mappings, not {found}"


class AnchorRedefined(Code):
    """One anchor name stands twice; which one an alias means would depend on its place."""

    id = "E116"
    message = "the anchor `&{anchor}` is defined twice"
    hint = "give the second one another name"


# 2: schema


class NotASpec(Code):
    """A spec is a mapping with `layers`."""

    id = "E200"
    message = "a spec is a mapping, not {found}"


class UnknownKey(Code):
    """A key that means nothing here."""

    id = "E201"
    message = "unknown key `{key}` in {where}"


class MissingKey(Code):
    """A key that must be given."""

    id = "E202"
    message = "{where} has no `{key}`{what}"


class WrongType(Code):
    """A value of the wrong kind."""

    id = "E203"
    message = "`{key}` must be {expected}, not {value}"


class OutOfRange(Code):
    """A number outside the limits of its field."""

    id = "E204"
    message = "`{key}: {value}` must be {limit}"


class NotAChoice(Code):
    """A word that is not one of the words a field takes."""

    id = "E205"
    message = "`{key}: {value}` is not one of {choices}"


class UnknownLayerType(Code):
    """No layer type has this name."""

    id = "E206"
    message = "unknown layer type `{type}`"


class WrongLength(Code):
    """A list with too few or too many items."""

    id = "E207"
    message = "`{key}` has {count} items, {limit}"


class UnsupportedVersion(Code):
    """The spec asks for a version of the language this netspec does not have."""

    id = "E208"
    message = "this netspec reads version 1 of the language, not `{version}`"


class BadName(Code):
    """A name that cannot name a layer, a blob, a block or a symbol.

    Names are ASCII letters, digits, `_`, `-`, `/`, `.` and a few others, at most 128 of them.
    """

    id = "E209"
    message = "`{name}` cannot be a name: {reason}"


class Conflict(Code):
    """Two keys that exclude each other."""

    id = "E210"
    message = "`{key}` and `{other}` cannot both be given"
    hint = "keep one of them"


# 3: expansion and wiring


class ExpressionSyntax(Code):
    """The text inside `${}` is not an expression."""

    id = "E300"
    message = "{problem}"


class ExpressionValue(Code):
    """An expression that has no value: a wrong operand, a division by zero, a bad index."""

    id = "E301"
    message = "{problem}"


class ExpressionLimit(Code):
    """An expression that is too long, too deep, or whose value is too large."""

    id = "E302"
    message = "{problem}"


class UndefinedVariable(Code):
    """An expression names a variable that does not exist here."""

    id = "E303"
    message = "the variable `{name}` is not defined here"


class UnsetVariable(Code):
    """A variable set to `~` has no default and must be given."""

    id = "E304"
    message = "the variable `{name}` of {where} must be given"


class UnknownVariable(Code):
    """A value is given for a variable that does not exist."""

    id = "E305"
    message = "{where} has no variable `{name}`"


class VariableCycle(Code):
    """The default of a variable depends on the variable itself."""

    id = "E306"
    message = "the variable `{name}` depends on itself: {chain}"


class UnknownScale(Code):
    """The spec has no scale of this name."""

    id = "E307"
    message = "the spec has no scale `{scale}`"


class MissingScale(Code):
    """The spec has variables that only a scale sets, and no scale was chosen."""

    id = "E308"
    message = "the spec needs a scale: one of {scales}"


class UnknownBlock(Code):
    """No block of this name is defined or imported."""

    id = "E309"
    message = "unknown block `{block}`"


class RecursiveBlock(Code):
    """A block uses itself, directly or through others."""

    id = "E310"
    message = "the block `{block}` uses itself: {chain}"


class BadRepeat(Code):
    """`repeat` takes a whole number from 0."""

    id = "E311"
    message = "`repeat: {value}` must be a whole number, at least 0"


class TooManyLayers(Code):
    """With every block and repeat written out the net would have too many layers."""

    id = "E312"
    message = "the net expands to more than {limit} layers"


class BlocksTooDeep(Code):
    """Blocks may be nested only so deep."""

    id = "E313"
    message = "blocks are nested deeper than {limit}"


class WrongBlockBottoms(Code):
    """A block is given more or fewer bottoms than it has inputs."""

    id = "E314"
    message = "the block `{block}` takes {expected}, not {count}"


class WrongBlockTops(Code):
    """More or fewer tops are named than the block has outputs."""

    id = "E315"
    message = "the block `{block}` has {expected}, not {count}"


class BadImport(Code):
    """An imported file is outside the root of the spec, or imports itself."""

    id = "E316"
    message = "cannot import `{file}`: {reason}"


class UndefinedBlob(Code):
    """A bottom that no layer before it makes. File order is execution order, as in Caffe."""

    id = "E320"
    message = "no layer before `{layer}` makes the blob `{blob}`"


class DuplicateTop(Code):
    """Two layers make one blob, and the second is not in place.

    A layer works in place where its top has the name of the bottom at the same index.
    """

    id = "E321"
    message = "the blob `{blob}` is {maker}"
    hint = "give the top another name"


class SharedInPlace(Code):
    """A layer works in place on a blob that another layer reads too.

    Caffe refuses such a net with "produced by multiple sources": the two readers
    would see different values depending on their order.
    """

    id = "E322"
    message = "`{layer}` works in place on `{blob}`, which `{reader}` reads too"
    hint = "give `{layer}` a top of its own"


class WrongBottomCount(Code):
    """A layer with more or fewer bottoms than its type takes."""

    id = "E323"
    message = "{type} takes {expected}, `{layer}` has {count}"


class WrongTopCount(Code):
    """A layer with more or fewer tops than its type makes."""

    id = "E324"
    message = "{type} makes {expected}, `{layer}` has {count}"


class DuplicateLayer(Code):
    """Two layers of one name."""

    id = "E325"
    message = "two layers have the name `{layer}`"
    hint = "layer names are the keys of the weights: give each its own"


class UndefinedOutput(Code):
    """An output that no layer makes."""

    id = "E326"
    message = "no layer makes the output `{blob}`"


class NoImpliedBottom(Code):
    """`bottom` is left out, and there is no single blob it could mean."""

    id = "E327"
    message = "`{layer}` has no `bottom`, and {reason}"


class IncludeAndExclude(Code):
    """A layer may have `include` rules or `exclude` rules, not both."""

    id = "E328"
    message = "`{layer}` has both `include` and `exclude`"
    hint = "keep one of them"


class TooManyParams(Code):
    """More `param` entries than the layer has weights."""

    id = "E329"
    message = "`{layer}` has {count} `param` entries and {weights} weights"


class WrongCount(Code):
    """A per-blob list that does not fit the number of blobs."""

    id = "E330"
    message = "`{key}` of `{layer}` has {count} items, {expected} needed"


class SharedMultConflict(Code):
    """A layer that shares a weight gives it another multiplier than the weight's owner did."""

    id = "E331"
    message = (
        "`{layer}` gives the shared weight `{weight}` {key} {value}, `{owner}` gives it {other}"
    )
    hint = "give both the same, or leave it out of one"


class SharedShapeMismatch(Code):
    """Two layers share a weight, and want it in different shapes."""

    id = "E332"
    message = "`{layer}` shares `{weight}` as {shape}, `{owner}` made it {other}"


class NoPropagation(Code):
    """A gradient is asked for that the layer cannot give."""

    id = "E334"
    message = "`{layer}` cannot pass a gradient to its bottom `{blob}`: {reason}"


class UnknownSymbol(Code):
    """A size or a shape is given for a name that no input of the spec has."""

    id = "E335"
    message = "no {what} of the spec is called `{name}`"


class UnusedSize(Code):
    """`--at` gives a size the spec does not have; one command may check several specs."""

    id = "W336"
    message = "no {what} of the spec is called `{name}`"


# 4: shapes


class NotDivisible(Code):
    """A count that must divide another does not."""

    id = "E401"
    message = "`{param}: {value}` does not divide the {channels} {side} channels of `{layer}`"
    hint = "use a `{param}` that divides {channels}"


class ShapeMismatch(Code):
    """Two blobs that must agree in their shapes do not."""

    id = "E402"
    message = (
        "{axis} of the bottoms of `{layer}` differ: `{blob}` has {size}, `{other}` has {wanted}"
    )


class WindowTooLarge(Code):
    """A window larger than its padded input leaves no output."""

    id = "E403"
    message = (
        "the {extent} window of `{layer}` does not fit its {size} input: "
        "the output would be {output}"
    )


class WrongRank(Code):
    """A blob with more or fewer axes than the layer can use."""

    id = "E404"
    message = "`{layer}` needs a bottom of {expected} axes, `{blob}` has {rank}: {shape}"


class AxisOutOfRange(Code):
    """An axis the blob does not have."""

    id = "E405"
    message = "`{param}: {value}` is not an axis of `{blob}`, which has {rank}: {shape}"


class CountMismatch(Code):
    """A change of shape that does not keep the number of elements."""

    id = "E406"
    message = "`{layer}` cannot make {wanted} of {shape}: {reason}"


class ParamConflict(Code):
    """Two params that exclude each other."""

    id = "E407"
    message = "`{param}` and `{other}` of `{layer}` cannot both be given"
    hint = "keep one of them"


class ParamMissing(Code):
    """A param that is needed here and not given."""

    id = "E408"
    message = "`{layer}` needs `{param}`{what}"


class EmptyBlob(Code):
    """A blob would have a size of zero or less on some axis."""

    id = "E409"
    message = "axis {axis} of `{blob}` would be {size}"


class NeverFits(Code):
    """Whatever the size of the inputs, some blob of the net is empty.

    Each size is at least 1 for some inputs, but together they are for none.
    """

    id = "E415"
    message = "axis {axis} of `{blob}` is {size}, and no input size makes every blob at least 1"


class TooManyElements(Code):
    """A blob or a weight with more elements than 63 bits count."""

    id = "E410"
    message = "`{blob}` would have {count} elements"
    hint = "the limit is 2^63 - 1"


class WrongDtype(Code):
    """A blob of a dtype the layer cannot read."""

    id = "E411"
    message = "`{layer}` needs {expected}, `{blob}` is {dtype}"


class WrongParamCount(Code):
    """A per-axis param with more or fewer values than there are spatial axes."""

    id = "E412"
    message = "`{param}` of `{layer}` has {count} values for {axes} spatial axes"


class BadParam(Code):
    """A value of a param that cannot be used here."""

    id = "E413"
    message = "`{param}: {value}` of `{layer}` {reason}"


class WrongSize(Code):
    """An axis of a bottom must have one size, and has another."""

    id = "E414"
    message = "`{layer}` needs {axis} of `{blob}` to be {wanted}, it is {size}"


class Expectation(Code):
    """The net is not what its `expect:` says."""

    id = "E430"
    message = "expected {key} {wanted}, found {found}"


class ExpectedSize(Code):
    """An input size that `expect.input_sizes` demands does not fit."""

    id = "E431"
    message = "`{layer}` does not fit at {sizes}: {reason}"


class BadExpectation(Code):
    """A value under `expect:` that is no number, size, bound or range.

    Counts and bytes: `431080`, `"<= 5M"`, `">= 1k"`, `"4M..5M"`, with k, M, G and T for powers
    of 1,000, or Ki, Mi, Gi for powers of 1,024; `B` may follow. Input sizes: `224`, `any`,
    `">= 32"`, `"32..512"`, `"multiple of 32"`, `"multiple of 32 from 64"`.
    """

    id = "E432"
    message = "`{key}: {value}` is not understood: {reason}"


# 5: backends and output


class NotLowered(Code):
    """The backend cannot lower this layer type."""

    id = "E501"
    message = "{backend} cannot build `{layer}`: {reason}"


class BackendMissing(Code):
    """The library a backend needs is not installed."""

    id = "E502"
    message = "{backend} needs {library}, which is not installed"
    hint = "pip install 'netspec[{extra}]'"


class NoRenderer(Code):
    """Nothing that can draw this format is installed."""

    id = "E503"
    message = "drawing {format} needs Graphviz: neither `dot` nor pygraphviz is there"
    hint = "install Graphviz, or pip install 'netspec[draw]'; .dot and .mmd need neither"


class DrawingFailed(Code):
    """The renderer failed, or took longer than its limit."""

    id = "E504"
    message = "drawing failed: {reason}"


class CannotWrite(Code):
    """The output cannot be written; what was there before is untouched."""

    id = "E505"
    message = "cannot write {file}: {reason}"


class BadOutputName(Code):
    """An output name that cannot be used."""

    id = "E506"
    message = "cannot write to {file}: {reason}"


# 6: importers


class ShapeNeeded(Code):
    """The shape of an input is not in the file: in Caffe it is that of the data itself."""

    id = "E624"
    message = "the file does not say the shape of `{input}`"


class InputShapes(Code):
    """In Caffe every `input` has one `input_shape`, or four `input_dim`."""

    id = "E625"
    message = "{names} `input` and {count}: one shape, or four `input_dim`, for each is needed"


class PaddingReader(Code):
    """A padding layer of the oldest format pads one blob for one convolution or pooling."""

    id = "E626"
    message = "`{layer}` cannot be joined with its padding layer"
    hint = "a padding layer has one bottom, one top and convolutions or poolings reading it"


class UnknownImport(Code):
    """The file is none that netspec reads: a spec, a Caffe prototxt or a darknet cfg."""

    id = "E627"
    message = "cannot tell what {file} is"
    hint = "a spec is YAML and named .yaml; a Caffe net .prototxt; a darknet net .cfg"


class WeightsMisfit(Code):
    """Weights of a file are not those of the net: a layer has others, or in other shapes.

    As in Caffe, layers are matched by name. Rename a layer of the net to start it anew.
    """

    id = "E628"
    message = "{file} does not fit the net: {misfits}"


class BadSolver(Code):
    """A field of the solver that Caffe refuses, as what it says or beside what others say."""

    id = "E629"
    message = "`{field}: {value}` of the solver {reason}"


class SolverNet(Code):
    """A solver needs a net: its file, or the net itself."""

    id = "E630"
    message = "the solver's net {reason}"


class PrototxtSyntax(Code):
    """The text is not protobuf text format, in which prototxt files are written."""

    id = "E600"
    message = "{problem}"


class TooManyFields(Code):
    """The prototxt holds more values than any network needs."""

    id = "E601"
    message = "the prototxt has more than {limit} fields"


class WrongKind(Code):
    """The file is something else than its place or name says."""

    id = "E602"
    message = "{file} is not {expected}: it looks like {found}"


class UnknownField(Code):
    """A field that BVLC Caffe's messages do not have: a misspelling, or another Caffe's own."""

    id = "E603"
    message = "`{message}` has no field `{field}`"


class FieldTwice(Code):
    """A field that holds one value is given more than once; protobuf refuses that."""

    id = "E604"
    message = "`{field}` holds one value, and is given twice"
    hint = "keep one of them"


class FieldType(Code):
    """A field is given a value of another kind than it holds."""

    id = "E605"
    message = "`{field}` must be {expected}, not {value}"


class UnknownWord(Code):
    """An enum field is given a word, or a number, that the enum does not have."""

    id = "E606"
    message = "`{field}: {value}` is not one of {choices}"


class FieldMissing(Code):
    """A message leaves out a field that it must have."""

    id = "E607"
    message = "`{message}` has no `{field}`, and must have it"


class IntegerRange(Code):
    """An integer that its field cannot hold."""

    id = "E608"
    message = "`{field}: {value}` must be from {lowest} to {highest}"


class BadWire(Code):
    """A binary protobuf file is cut short or damaged, or is no protobuf at all."""

    id = "E610"
    message = "cannot read {file}: {problem} at byte {offset}"


class BlobMismatch(Code):
    """The shape of a stored blob and the number of its values disagree."""

    id = "E611"
    message = "{file}: blob {index} of {where} holds {found} values, and its shape {shape} {count}"


class NoWeights(Code):
    """A weight file with nothing in it."""

    id = "E612"
    message = "{file} holds no {what}"


class MixedLayers(Code):
    """A net holds layers of the old form `layers` and of the new form `layer`; Caffe refuses."""

    id = "E613"
    message = "{file} has both `layer` and `layers`"


class WeightsSize(Code):
    """A darknet weight file must hold exactly the weights of its network."""

    id = "E614"
    message = "{file} has {found} bytes, and {expected} are expected{what}"


class WeightsVersion(Code):
    """A darknet weight file of a version nobody has written."""

    id = "E615"
    message = "{file} says it is darknet weights of version {version}; 0.0, 0.1 and 0.2 can be read"


class CfgSyntax(Code):
    """The text is not a darknet configuration."""

    id = "E620"
    message = "{problem}"


class OptionTwice(Code):
    """A section gives one option twice; darknet would silently use the first."""

    id = "E621"
    message = "the option `{option}` of `[{section}]` is given twice"
    hint = "keep one of them; darknet uses the first"


class OptionShadowed(Code):
    """The section `[net]` gives an option twice; as in darknet the first one counts."""

    id = "W621"
    message = "the option `{option}` of `[{section}]` is given twice; the first one counts"


class OptionValue(Code):
    """An option of a darknet section has a value it cannot have."""

    id = "E622"
    message = "`{option}={value}` of `[{section}]` must be {expected}"


class OptionFile(Code):
    """An option of a darknet section names another file; none but the cfg is read."""

    id = "W622"
    message = "`{option}={value}` of `[{section}]` names a file that is not read: {what}"


class OptionUnknown(Code):
    """An option that means nothing in its section."""

    id = "E623"
    message = "`[{section}]` has no option `{option}`"


# 7: transforms


class NotTransformed(Code):
    """A transform cannot change a layer of the net, and so leaves the whole net as it is."""

    id = "E700"
    message = "{transform} cannot change `{layer}`: {reason}"


# 8: lints, where they are asked for


class ZeroStart(Code):
    """Two layers, one behind the other, whose weights start at 0: they may never learn.

    The gradient of the first passes through the weight of the second, which is 0, and the second
    reads what does not depend on the input. In a prototxt this is what a layer without a
    `weight_filler` does: Caffe's default is a constant 0. One such layer alone learns, and a sum
    that leads past it is enough. It is said once, of the first two.
    """

    id = "W801"
    message = (
        "the weight of `{layer}` starts at 0, and so does that of `{other}` before it: "
        "no gradient comes to `{other}`, and nothing of the input to `{layer}`"
    )


class BiasBeforeNorm(Code):
    """A bias that a normalisation takes away again.

    A layer that subtracts the mean of each channel subtracts any offset with it: the bias has no
    effect and no gradient, and costs its weights and their optimiser state.
    """

    id = "W802"
    message = "the {count} biases of `{layer}` have no effect: `{reader}` subtracts the mean"
    hint = "`bias_term: false`"


class NormWithoutScale(Code):
    """Caffe's BatchNorm has no factor and no offset of its own: `Scale` follows it.

    Without, every channel that the activation reads has mean 0 and variance 1, whatever the
    layers before it learn. Where a convolution or a dense layer reads it, that does not matter.
    """

    id = "W803"
    message = (
        "`{layer}` fixes the mean and the variance of {channels} channels, "
        "and nothing gives them others before `{reader}`"
    )
    hint = "a `Scale` with `bias_term: true` after it, or `scale_bias: true`"


class Unproductive(Code):
    """A convolution over elements that see all of the input already.

    Such layers add depth and cost, and no context: they were found to do little for accuracy
    (Richter et al., arXiv 2106.12307). It is said once, of the first, and where the size of the
    input is known: `--at H=32,W=32` asks about one. Where branches meet the smallest counts.
    """

    id = "W804"
    message = (
        "the {window} window of `{layer}` adds no context: "
        "an element of `{blob}` sees {seen} of the {size} `{input}` already"
    )


class UnusedLayer(Code):
    """A layer whose tops no layer reads, in a net that lists its outputs without them."""

    id = "W805"
    message = "nothing reads the blob `{blob}`, {shape}, and it is no output"
    hint = "list it under `outputs`, or leave the layer out"


class NoLossReads(Code):
    """Weights that are to learn, in a train net of which no loss depends on them.

    They keep the values they start with. `lr_mult: 0` says that this is meant.
    """

    id = "W806"
    message = "`{layer}` has {count} weights to learn, and no loss depends on them"
    hint = "let a loss depend on `{blob}`, or give the layer `lr_mult: 0`"


class LearnsInPlace(Code):
    """A frozen layer whose top another layer changes in place, with weights that learn.

    What the net knows by the name of the frozen layer goes on changing.
    """

    id = "W807"
    message = "`{below}` is frozen, and `{layer}` with {count} weights to learn changes `{blob}`"
    hint = "`lr_mult: 0` for `{layer}` as well, or a top of its own"


class LossTeachesNothing(Code):
    """A loss whose gradient comes to no weight that learns.

    A net in which no weight at all learns, and whose losses reach an input, is passed over: there
    it is the input that is changed, as in style transfer.
    """

    id = "W808"
    message = "the loss `{layer}` teaches nothing: {reason}"
    hint = "let it depend on a weight whose `lr_mult` is not 0, or leave it out"


class Checkerboard(Code):
    """A transposed convolution whose kernel is no multiple of its stride.

    The copies of the kernel overlap more in some places than in others, and leave a pattern of
    squares (Odena et al., Deconvolution and Checkerboard Artifacts). Of a bilinear filler, or a
    weight that does not learn, nothing is said.
    """

    id = "W809"
    message = (
        "the kernel of `{layer}`, {kernel}, is no multiple of the stride {stride}: "
        "{few} or {many} taps meet in an element"
    )


class SkippedElements(Code):
    """A window that moves further than it is wide: what lies between is never read.

    Windows of one element are passed over: with a stride they subsample, as shortcuts do.
    """

    id = "W810"
    message = (
        "the {extent} windows of `{layer}` lie {stride} apart: "
        "{skipped} of {stride} elements in a row are never read"
    )


class SquashedTwice(Code):
    """A loss that takes the softmax, or the sigmoid, of what is one already.

    It trains, slowly: the scores that the loss sees are between 0 and 1, so it can never be near 0.
    """

    id = "W811"
    message = "`{layer}` takes the {what} of its scores, and `{maker}` has done so"


class DropoutLast(Code):
    """Dropout behind the last weights of a net: it drops scores or results at random.

    Dropout keeps later layers from relying on single features, and there are none.
    """

    id = "W812"
    message = "`{layer}` drops results: no layer after it has weights, `{last}` is the last one"
