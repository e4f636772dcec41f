"""Talks to chat-backend as applications do, with OpenAI's own client. Prints nothing where all is well."""

import sys

import openai
from openai import OpenAI

first, second, crowded = (OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) for address in sys.argv[1:4])
hello = [{"role": "user", "content": "hello there"}]

assert [model.id for model in first.models.list()] == ["built-in"]

whole = first.chat.completions.create(model="built-in", messages=hello)
assert whole.choices[0].message.content.startswith("This conversation has 1 messages. You said: hello there"), whole
assert whole.choices[0].finish_reason == "stop" and whole.usage.completion_tokens == 32, whole

cut = first.chat.completions.create(model="built-in", messages=hello, max_completion_tokens=3)
assert cut.choices[0].message.content == "This conversation has" and cut.choices[0].finish_reason == "length", cut

chunks = list(first.chat.completions.create(
    model="built-in", messages=hello, stream=True, stream_options={"include_usage": True}))
text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
assert text == whole.choices[0].message.content, text
assert chunks[-1].usage.total_tokens == 34, chunks[-1]

# one pod begins a conversation; another, which passes requests on to an upstream, goes on with it
session = {"X-Session-Id": "ann-1"}
first.chat.completions.create(model="built-in", messages=hello, extra_headers=session)
later = second.chat.completions.create(model="built-in", messages=hello, extra_headers=session)
assert later.choices[0].message.content.startswith("This conversation has 3 messages."), later

# what cannot be taken becomes the client's own errors
for refused, call in {
    openai.BadRequestError: lambda: first.chat.completions.create(model="built-in", messages=[]),
    openai.RateLimitError: lambda: [
        crowded.chat.completions.create(model="built-in", messages=hello, stream=True) for _ in range(2)],
}.items():
    try:
        call()
    except refused as error:
        assert error.body["message"], error
    else:
        raise AssertionError(f"no {refused.__name__}")
