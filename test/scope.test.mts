// Scopes: what they free and what they leave, whatever runs between and at the same time.
import { setTimeout as wait } from 'node:timers/promises';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import {
  BinaryFocalLoss,
  cuda,
  type Device,
  keep,
  Stream,
  scope,
  type Tensor,
  tensor,
} from 'culoss';
import { collectGarbage, onCuda, onDevices } from './devices.mjs';
import { expectError } from './expect.mjs';

const make = (device: Device = 'cpu'): Tensor => tensor([[0.25, 0.75]], undefined, { device });
const disposed = (tensors: readonly Tensor[]): boolean[] => tensors.map((one) => one.disposed);

describe('scope', () => {
  onDevices(
    'scope frees what was made in it, and leaves what it returns, wherever that is in',
    (device) => {
      const before = make(device);
      const freed: Tensor[] = [];
      const result = scope(() => {
        const x = make(device);
        const { loss, grad } = new BinaryFocalLoss().valueAndGrad(x, [1]);
        const [out, other] = [make(device), x.to('cpu')];
        freed.push(x, loss);
        if (device !== 'cpu') freed.push(other);
        return { grad, list: [{ out }], before, step: 3 };
      });
      expect(disposed(freed)).to.not.include(false);
      expect(
        disposed([result.grad, (result.list[0] as { out: Tensor }).out, before]),
      ).to.deep.equal([...[false, false, false]]);
      expect(result.step).to.equal(3);
      expect(scope(() => make(device)).disposed).to.equal(false);
    },
  );

  it('scope frees all when its work throws, at once or later, and throws that on', async () => {
    const freed: Tensor[] = [];
    const error = new Error('no such file');
    const work = (): never => {
      freed.push(make());
      throw error;
    };
    expect(() => scope(work)).to.throw(error);
    const rejected = scope(async () => {
      await wait(1);
      work();
    });
    expect(await rejected.catch((reason: unknown) => reason)).to.equal(error);
    const held = {
      get tensor(): Tensor {
        throw error;
      },
    };
    expect(() =>
      scope(() => {
        freed.push(make());
        return held;
      }),
    ).to.throw(error);
    expect(disposed(freed)).to.deep.equal([true, true, true]);
  });

  it('scopes that run at the same time free their own', async () => {
    const made: Tensor[][] = [[], []];
    const alive: boolean[] = [];
    const job = async (i: number, first: number, second: number) => {
      await wait(first);
      made[i]?.push(make());
      await wait(second);
      await new Promise<void>((done) => {
        setImmediate(() => {
          made[i]?.push(make());
          done();
        });
      });
      alive.push(...disposed(made[i] as Tensor[]));
      return make();
    };
    const [short, long] = [scope(() => job(0, 1, 5)), scope(() => job(1, 3, 60))];
    const kept = [await short];
    expect(disposed(made[0] as Tensor[])).to.deep.equal([true, true]);
    expect(disposed(made[1] as Tensor[])).to.not.include(true);
    kept.push(await long);
    expect(disposed(made.flat())).to.deep.equal([true, true, true, true]);
    expect(alive).to.deep.equal([false, false, false, false]);
    expect(disposed(kept)).to.deep.equal([false, false]);
  });

  it('what a scope leaves belongs to the scope around it', async () => {
    let [inner, late, kept] = [make(), make(), make()];
    let finish = (): void => {};
    const outer = scope(async () => {
      inner = await scope(async () => make());
      let isDone: Promise<void> = Promise.resolve();
      scope(() => {
        isDone = new Promise<void>((done) => {
          finish = done;
        }).then(() => {
          late = make(); // when its own scope is no more
          kept = keep(make());
        });
        return null;
      });
      expect(inner.disposed).to.equal(false);
      finish();
      await isDone;
      expect(late.disposed).to.equal(false);
    });
    await outer;
    expect(disposed([inner, late, kept])).to.deep.equal([true, true, false]);
  });

  it('keep takes what it is given out of all scopes, and returns it', () => {
    let kept: Tensor | undefined;
    scope(() => {
      scope(() => {
        const one = make();
        kept = keep(one);
        expect(kept).to.equal(one);
      });
    });
    expect(kept?.disposed).to.equal(false);
    expect(keep(make()).disposed).to.equal(false);
  });

  it('a scope does not hold what was disposed, however long it lasts', async () => {
    const [refs, steps] = [[] as WeakRef<Tensor>[], 1000];
    await scope(async () => {
      const first = make();
      for (let i = 0; i < steps; ++i) {
        const one = make();
        refs.push(new WeakRef(one));
        one.dispose();
      }
      await wait(1); // until then a WeakRef holds what it was made of
      collectGarbage();
      const held = refs.filter((ref) => ref.deref() !== undefined);
      expect(held.length).to.be.at.most(128);
      expect(first.disposed).to.equal(false);
    });
  });

  onCuda('what a criterion keeps on a device stays, and streams and graphs go cuda:0', async () => {
    const criterion = new BinaryFocalLoss({ alpha: [0.25, 0.75] });
    await cuda.synchronize();
    const stream = scope(() => {
      const [x, own] = [make('cuda:0'), new Stream()];
      own.run(() => criterion.forward(x, [1]));
      return own.disposed ? null : own;
    });
    expect(stream?.disposed).to.equal(false);
    stream?.dispose();
    expect((criterion.alpha as Tensor).disposed).to.equal(false);
    collectGarbage();
    await wait(1);
    await cuda.synchronize();
    const before = cuda.memory().allocated;
    const keptGraph = scope(() => {
      const [x, y] = [make('cuda:0'), tensor(new Int32Array([1]), [1]).cuda()];
      return { graph: keep(cuda.graph(() => criterion.valueAndGrad(x, y))) };
    }).graph;
    keptGraph.replay();
    expect(Number.isFinite(keptGraph.result.loss.item())).to.equal(true);
    for (const one of [keptGraph, keptGraph.result.loss, keptGraph.result.grad]) one.dispose();
    const resources = scope(() => {
      const own = new Stream();
      const [x, y] = [make('cuda:0'), tensor(new Int32Array([1]), [1]).cuda()];
      const graph = cuda.graph(() => criterion.valueAndGrad(x, y));
      graph.replay();
      return () => [own.disposed, graph.disposed, graph.result.grad.disposed];
    });
    expect(resources()).to.deep.equal([true, true, true]);
    await cuda.synchronize();
    expect(cuda.memory().allocated).to.be.at.most(before);
    using x = make('cuda:0');
    expect(Number.isFinite(criterion.forward(x, [1]).item())).to.equal(true);
  });

  it('finds what a result holds in Maps, Sets and objects of another realm', () => {
    const result = scope(() => ({
      map: new Map([[make(), make()]]),
      set: new Set([[make()]]),
      realm: runInNewContext('make => ({ one: make() })')(make) as { one: Tensor },
    }));
    const [[key, value] = []] = result.map;
    const [[inSet] = []] = result.set;
    const found = [key, value, inSet, result.realm.one] as Tensor[];
    expect(disposed(found)).to.deep.equal([false, false, false, false]);
  });

  it('keep takes what others made out of their scopes, alone or in a result', async () => {
    let made: Tensor[] = [];
    const other = scope(async () => {
      made = [make(), make(), make()];
      await wait(5);
    });
    const [first, second, third] = made as [Tensor, Tensor, Tensor];
    scope(() => expect(keep({ list: [first] }).list[0]).to.equal(first));
    expect(keep(second)).to.equal(second);
    await other;
    expect(disposed([first, second, third])).to.deep.equal([false, false, true]);
  });

  it('a promise that does its work late is of the scope, one within a result is refused', async () => {
    let made = make();
    const lazy = {
      // biome-ignore lint/suspicious/noThenProperty: a promise as others make them
      then(resolve: (value: number) => void): void {
        made = make();
        resolve(1);
      },
    };
    expect(await scope(() => lazy)).to.equal(1);
    expect(made.disposed).to.equal(true);
    const inside = () => {
      made = make();
      return { loss: made.itemAsync() };
    };
    const message = 'work: expected a result without promises inside, got one with a promise';
    expectError(() => scope(inside), 'ERR_OPTION', TypeError, message);
    expect(made.disposed).to.equal(true);
  });

  onDevices('a criterion made in a scope lives behind it, and leaves nothing', async (device) => {
    const run = (criterion: BinaryFocalLoss): number =>
      scope(() => criterion.forward(make(device), [1]).item());
    const expected = run(new BinaryFocalLoss({ alpha: [0.25, 0.75] }));
    const criterion = scope(() => {
      const one = new BinaryFocalLoss({ alpha: [0.25, 0.75] });
      one.forward(make(device), [1]);
      return one;
    });
    expect(run(criterion)).to.equal(expected);
    expect(run(criterion)).to.equal(expected);
    // Alpha itself goes, but not what was copied of it outside.
    const [alpha, copied] = scope(() => {
      const own = tensor([0.25, 0.75]);
      return [keep(own), new BinaryFocalLoss({ alpha: own })];
    });
    expect(run(copied)).to.equal(expected);
    alpha.dispose();
    if (device === 'cpu') expect(() => run(copied)).to.throw(/alpha: expected a tensor in use/);
    else expect(run(copied.cpu().to(device))).to.equal(expected);
  });

  it('refuses what is no function, and what cannot be kept', () => {
    const refuse = (run: () => unknown, message: string) =>
      expectError(run, 'ERR_OPTION', TypeError, message);
    refuse(() => scope(5 as never), 'work: expected a function, got 5');
    refuse(() => keep(null as never), 'resources: expected tensors, streams or graphs, got null');
  });
});
