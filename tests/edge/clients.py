"""Asks a server through the rerank clients that people have, and prints what each made of the answer.

    python clients.py URL TOKEN < request.json > answers.json

A request is {"query": str, "documents": [str]}; the answers are {client: [[index, score], ...]}.
"""

import json
import sys

import cohere
from rerankers import Document, Reranker


def by_cohere(client, request, **options):
    answer = client.rerank(model="any", query=request["query"], documents=request["documents"], **options)
    return answer, [[result.index, result.relevance_score] for result in answer.results]


def by_rerankers(url, token, provider, request):
    ranker = Reranker("any", model_type="APIRanker", api_provider=provider, api_key=token, url=url, verbose=0)
    documents = [Document(text, doc_id=index) for index, text in enumerate(request["documents"])]
    ranked = ranker.rank(query=request["query"], docs=documents)
    return [[result.document.doc_id, result.score] for result in ranked.results]


def main(url, token):
    request = json.load(sys.stdin)
    v2 = cohere.ClientV2(api_key=token, base_url=url)
    v1 = cohere.Client(api_key=token, base_url=url)
    answer, answers = {}, {}
    _, answers["cohere v2"] = by_cohere(v2, request)
    _, answers["cohere v2, the best two"] = by_cohere(v2, request, top_n=2, max_tokens_per_doc=64)
    answer, answers["cohere v1"] = by_cohere(v1, request, return_documents=True)
    texts = [result.document.text for result in answer.results]
    expected = [request["documents"][result.index] for result in answer.results]
    if texts != expected:
        sys.exit(f"the documents of cohere v1 came back as {texts}")
    try:
        by_cohere(cohere.ClientV2(api_key="wrong", base_url=url), request)
        sys.exit("cohere did not notice that the token is wrong")
    except cohere.UnauthorizedError as error:
        answers["refused"] = error.body["error"]["code"]
    answers["rerankers, cohere"] = by_rerankers(f"{url}/v1/rerank", token, "cohere", request)
    answers["rerankers, jina"] = by_rerankers(f"{url}/v1/rerank", token, "jina", request)
    answers["rerankers, TEI"] = by_rerankers(f"{url}/rerank", token, "text-embeddings-inference", request)
    json.dump(answers, sys.stdout)


main(*sys.argv[1:])
