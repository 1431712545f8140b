"""Small tokenizers of the kinds that DeepSeek and Llama write, and what Hugging Face's `tokenizers` makes of awkward strings.

    python make_tokenizer_goldens.py [FOLDER]     (default: tokenizer, beside this file)

For each kind KIND/tokenizer.json, and KIND/expected.json: {"ids": [ids of each text], "special": [with special tokens]}; the
texts are in texts.json, the same for all kinds.
"""

import json
import pathlib
import random
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

TRAINING = """
The latent is small, and the keys and values are many. A cache keeps what was seen; each new token asks every earlier one.
I'll say it's cheap, they've said it isn't, we're told you'd pay: 128 heads, 4,096 positions, 61 layers, 7.5 GB of numbers.
def absorb(q, w):\n    return q @ w.T  # one product instead of two\n\tfor (int i = 0; i < n; ++i) { sum += a[i] * b[i]; }
Der Schlüssel fällt über die Brücke; l'été dernier, où étiez-vous? Привет, мир. Γειά σου. 你好，世界。こんにちは世界。안녕하세요.
مرحبا بالعالم 12345 ١٢٣ नमस्ते दुनिया 👋🌍 see https://example.org/a?b=c&d=e#f or write to who@example.org
"""

DEEPSEEK = ["\\p{N}{1,3}", "[一-龥\u3040-ゟ゠-ヿ]+",
            "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+|"
            " ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"]
LLAMA3 = ("(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|"
          "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+")


def train(tokenizer, size, special, alphabet):
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=special, initial_alphabet=alphabet, show_progress=False)
    lines = TRAINING.split("\n")
    tokenizer.train_from_iterator(lines + [a + " " + b for a, b in zip(lines, lines[1:])], trainer)


def byte_level(steps, post, size=420, **model):
    tokenizer = Tokenizer(models.BPE(**model))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    tokenizer.decoder = decoders.ByteLevel()
    train(tokenizer, size, ["<|begin|>", "<|end|>"], pre_tokenizers.ByteLevel.alphabet())
    if post:
        tokenizer.post_processor = post(tokenizer)
    return tokenizer


def split(expression):
    return pre_tokenizers.Split(Regex(expression), behavior="isolated")


def with_begin(tokenizer, begin="<|begin|>", end=None):
    ids = [(name, tokenizer.token_to_id(name)) for name in (begin, end) if name]
    return processors.TemplateProcessing(single=f"{begin} $A" + (f" {end}" if end else ""), special_tokens=ids)


def deepseek_v3():
    tokenizer = byte_level([split(e) for e in DEEPSEEK] + [pre_tokenizers.ByteLevel(False, True, False)],
                           lambda t: processors.ByteLevel(trim_offsets=False))
    tokenizer.add_tokens([AddedToken("<think>", normalized=False), AddedToken("<｜tool▁calls｜>", normalized=False),
                          AddedToken("<think>>", normalized=False)])
    return tokenizer


def deepseek_v2():
    """Digits apart and a rule for the ends of lines, as in DeepSeek-V2's."""
    steps = [split("[\r\n]"), split("\\s?\\p{L}+"), split("\\s?[!-/:-~！-／：-～‘-‟　-。]+"), split("\\s+$"),
             split("[一-龥ࠀ-一가-퟿]+"), pre_tokenizers.Digits(individual_digits=True),
             pre_tokenizers.ByteLevel(False, True, False)]
    return byte_level(steps, with_begin)


def llama3():
    post = lambda t: processors.Sequence([processors.ByteLevel(trim_offsets=False), with_begin(t, end="<|end|>")])
    tokenizer = byte_level([split(LLAMA3), pre_tokenizers.ByteLevel(False, True, False)], post, ignore_merges=True)
    vocabulary = json.loads(tokenizer.to_str())
    merges = vocabulary["model"]["merges"]
    vocabulary["model"]["merges"] = [m for i, m in enumerate(merges) if i % 5]  # whole words that no merge makes
    made = {"".join(m) for m in vocabulary["model"]["merges"]}
    vocabulary["model"]["merges"] = [m for m in vocabulary["model"]["merges"] if all(len(p) == 1 or p in made for p in m)]
    return Tokenizer.from_str(json.dumps(vocabulary))


def gpt2():
    """ByteLevel with its own expression and a space in front, added tokens with every flag, contiguous digits."""
    steps = [pre_tokenizers.Digits(individual_digits=False), pre_tokenizers.ByteLevel(True, True, True)]
    tokenizer = byte_level(steps, None, 380)
    tokenizer.add_tokens([AddedToken("<left>", lstrip=True), AddedToken("<right>", rstrip=True, normalized=False),
                          AddedToken("word", single_word=True), AddedToken("<both>", lstrip=True, rstrip=True)])
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, normalized=True, special=True)])
    return tokenizer


def metaspace(first):
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    if first:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("▁", "first", split=False)
    else:
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    training = Tokenizer(models.BPE())
    training.pre_tokenizer = pre_tokenizers.Metaspace("▁", "always", split=True)
    special = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    train(training, 480, special, [])
    model = json.loads(training.to_str())["model"]
    whole = json.loads(tokenizer.to_str())
    dropped = "Яğ"  # known by nothing but their bytes
    whole["model"]["vocab"] = {t: i for t, i in model["vocab"].items() if t not in dropped}
    whole["model"]["merges"] = [" ".join(m) if not first else m for m in model["merges"]]
    tokenizer = Tokenizer.from_str(json.dumps(whole))
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
                                           decoders.Strip(" ", 1, 0)])
    tokenizer.post_processor = with_begin(tokenizer, "<s>")
    return tokenizer


KINDS = {"deepseek-v3": deepseek_v3, "deepseek-v2": deepseek_v2, "llama-3": llama3, "gpt-2": gpt2,
         "llama-2": lambda: metaspace(False), "llama-2-first": lambda: metaspace(True)}

AWKWARD = [
    "", " ", "  ", "   ", "\n", "\r\n", "\t", "\n\n\n", " \n ", "a\r\nb", "a \r\n b", "\r", "x\ry", "tab\tseparated\t\tvalues", "  two",
    "end  ", "a  b   c    d", " " * 40, "a" + " " * 17 + "b", "\n" * 9 + "x", "\u00a0nbsp\u00a0\u00a0x", "\u3000全角\u3000", "a\u2028b\u2029c",
    "line\u0085next", "\u180emongolian", "\u200bzero\u200bwidth\u200d\u200c", "\ufeffbom", "a\u00adb", "e\u0301 e\u0308\u0323 n\u0303",
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘", "👋", "👨‍👩‍👧‍👦", "👍🏽👍🏿", "🇩🇪🇫🇷🇯", "❤️ ❤", "1️⃣2️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "a👋b", "x ❤️x",
    "0", "12", "123", "1234", "12345678901234567890", "3.14159", "1,000,000", "-1e-10", "0x1F", "١٢٣٤٥", "१२३४", "１２３４", "二〇二四", "ⅧⅨ", "½²³",
    "①②③", "𝟘𝟙𝟚", "v1.2.3", "2024-01-31T23:59:59Z", "7.5GB", "4,096", "don't", "I'll", "we've", "it's", "DON'T", "I'LL", "'S 'T 'RE", "'ſ",
    "’s", "''s", "o'clock's", "they'd've", "l'été", "https://example.org/a?b=c&d=e#f", "who@example.org", "file:///C:\\x\\y.txt",
    "def f(x):\n    return x**2\n", "for (;;) {}\n\n\treturn;", "a=b==c!=d", "<html><b>x</b></html>", "{\"k\": [1, 2]}", "$x^2_{i}$", "#include <a>",
    "`code`", "~~~", "----", "====\n====", "/* c */", "!!!???...", "…—–", "“quoted”", "«x»", "¿qué?", "snake_case camelCase", "ALLCAPS",
    "Grüße aus Köln", "naïve façade", "Straße ẞ", "İstanbul ığüşöç", "Привет, мир", "Γειά σου Κόσμε", "שלום עולם", "مرحبا بالعالم", "العَرَبِيَّة",
    "नमस्ते दुनिया", "สวัสดีชาวโลก", "你好，世界", "漢字かなカナ混じり文", "안녕하세요 세계", "ㄱㄴㄷ", "Tiếng Việt", "ქართული", "አማርኛ", "ᏣᎳᎩ", "𐍈𐌰", "𝔘𝔫𝔦", "ﬁﬂﬀ",
    "𠜎𠜱", "龦龥一", "ゟ゠ヿ", "㐀", "々〆", "mixed漢字and한글andعربي", "日本語123abc", "\ue000\uf8ff", "\U000f0000", "\U0010ffff", "\ufffd", "\ufffd\ufffd x",
    "\x00", "\x01\x02\x1b[31m", "\x7f", "a\x00b", "\x0b\x0c", "\x1c\x1d", "K\u212a\u017f", "▁", "▁▁a", "a▁b", " ▁ ", "Ġ", "Ċ", "Ġthe", "<0x0A>", "<0xFF>",
    "<unk>", "<s>", "</s>", "a<s>b", " <s> ", "<s><s>", "<|begin|>", "x<|begin|> y<|end|>", "<|begin|", "<|end|>\n<|end|>", "<think>", "<think>>",
    "<think>a</think>", "<think", "<｜tool▁calls｜>x", " <left> ", "a <left> b", "a  <right>  b", "word", "words", "a word b", "word word", "sword",
    "word1 word_ word-", "éword wordé", "x <both> y", "<both><both>", " <left><right> ", "<left> <left>", " <mask> <mask>", "<right> <left>",
    "a" * 300, "ab" * 200, "é" * 150, "漢" * 100, "👋" * 40, "x " * 100, "1" * 100, "!" * 120, "Donaudampfschifffahrtsgesellschaftskapitän",
    "The latent is small, and the keys and values are many.", "  indented\n    more\n", "trailing \n", " \t \n\t x", "end\n\n", "a\n \nb", "q @ w.T",
    "\u0301", " \u0301", "a\u200d", "\u202eright to left\u202c", "x\u2060y", "\U0001f1e6", "ǅ", "ª º", "ー", "٪", "€5 £6 ¥7", "a/b\\c|d", "100%", "№ 5", "™©®",
]


def texts():
    random_text = random.Random(7)
    pools = ["etaoin shrdlu", "ETAOIN", "0123456789", " \t\n\r", "!?.,;:'\"()[]{}<>", "éüßçñ", "приветмир", "漢字かなカナ", "مرحبا", "👋🌍❤\ufe0f\u200d",
             "\u0301\u0308\u00a0\u3000\u200b", "'s't're'll", "▁Ġ<>|", "١२３"]
    made = []
    for _ in range(120):
        letters = "".join(random_text.sample(pools, random_text.randint(1, 4)))
        made.append("".join(random_text.choice(letters) for _ in range(random_text.randint(2, 30))))
    return AWKWARD + made + TRAINING.split("\n")


def main(folder):
    folder.mkdir(exist_ok=True)
    corpus = texts()
    (folder / "texts.json").write_text(json.dumps(corpus, separators=(",", ":")) + "\n")
    for name, make in KINDS.items():
        tokenizer = make()
        (folder / name).mkdir(exist_ok=True)
        written = json.loads(tokenizer.to_str())
        if name in ("deepseek-v2", "llama-2"):  # as older files have them
            written["model"]["merges"] = [" ".join(m) for m in written["model"]["merges"]]
        (folder / name / "tokenizer.json").write_text(json.dumps(written, ensure_ascii=False, separators=(",", ":")) + "\n")
        tokenizer = Tokenizer.from_file(str(folder / name / "tokenizer.json"))
        ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in corpus]
        special = [tokenizer.encode(text).ids for text in corpus[:20]]
        (folder / name / "expected.json").write_text(json.dumps({"ids": ids, "special": special}, separators=(",", ":")) + "\n")
        print(name, tokenizer.get_vocab_size(), len(corpus))


main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "tokenizer"))
