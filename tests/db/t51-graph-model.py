"""Random dags with random outcomes, beside a small model of what must happen.

Reads nothing; prints SQL for one session: workflows are made, jobs ended in
random order and batches, single jobs and workflows tried again, and after each
step the states of all jobs are compared with the model's.  argv: seed, rounds.
"""
import random
import sys

sys.dont_write_bytecode = True

from graph_model import Model, dag


def check(step, flow, model):
    print(f"SELECT 'seed {sys.argv[1]}, {step}: ' || g.state || ' ' || "
          f"f.states(g.workflow) || E'\\n wanted {model.flow()} "
          f"{model.states()}' FROM sortie.workflow g WHERE "
          f"g.workflow = {flow} AND (g.state <> '{model.flow()}' OR "
          f"f.states(g.workflow) <> '{model.states()}');")


def main():
    seed, rounds = int(sys.argv[1]), int(sys.argv[2])
    rnd = random.Random(seed)
    flow = "currval('sortie.workflow_number')"
    for number in range(rounds):
        nodes, edges = dag(rnd)
        model = Model(nodes, edges)
        order = list(nodes)
        rnd.shuffle(order)
        words = " ".join(n + (":" + nodes[n] if nodes[n] else "")
                         for n in order)
        arrows = " ".join(f"{p}>{c}:{k}" for p, c, k in edges)
        print(f"SELECT NULL FROM f.make('{{}}', '{words}', '{arrows}');")
        check(f"workflow {number} made", flow, model)
        for step in range(40):
            ready = [n for n in order if model.state[n] == "ready"]
            bad = model.bad()
            what = rnd.random()
            if bad and (not ready or what < 0.1):
                if what < 0.05 or not ready and what < 0.3:
                    model.again(bad)
                    print(f"SELECT message FROM sortie.workflow_retry_2(0, "
                          f"NULL, '{{}}', {flow}) WHERE code IS NOT NULL;")
                elif ready or what < 0.7:
                    name = rnd.choice(bad)
                    model.again([name])
                    print(f"SELECT message FROM sortie.job_retry_1(0, NULL, "
                          f"'{{}}', ARRAY[f.number({flow}, '{name}')], false)"
                          f" WHERE code IS NOT NULL;")
                else:
                    break
            elif ready:
                some = rnd.sample(ready, rnd.randint(1, len(ready)))
                ends = [(n, rnd.choice(["finished"] * 4 + ["failed",
                                                          "timelimit"]))
                        for n in some]
                for name, state in ends:
                    model.end(name, state)
                model.settle()
                words = " ".join(f"{n}:{s}" for n, s in ends)
                print(f"SELECT NULL FROM f.run({flow}, '{words}'), f.told();")
            else:
                break
            check(f"workflow {number}, step {step}", flow, model)


main()
