/** Three members of ZooKeeper, as the workshop's exercise has them: two services, and a claim for each member. */
import type { Kubectl } from './kubectl.ts';

/** Debian's ZooKeeper, without the scripts and the graphical Java of its package `zookeeper`. */
export const ZOOKEEPER = {
  name: 'holdfast.test/zookeeper:1',
  packages: ['libzookeeper-java', 'default-jre-headless'],
  workingFolder: '/data',
};
export const ZOOKEEPER_MEMBERS = ['zk-0', 'zk-1', 'zk-2'];
/** Names that members find each other by. */
const PEERS = 'zk-hs';
const CLIENT_PORT = 2181;
/** Of the loggers there the first is taken, and some of the others do not go together. */
const CLASSES = "'/usr/share/java/slf4j-simple.jar:/usr/share/java/*'";
/** A member that has moved has another address, under the same name. */
const JAVA = `java -Xmx96m -Dsun.net.inetaddr.ttl=1 -Dsun.net.inetaddr.negative.ttl=1 -cp ${CLASSES}`;

const CONFIGURATION = [
  ...['tickTime=2000', 'initLimit=30', 'syncLimit=10', 'dataDir=/data', `clientPort=${CLIENT_PORT}`],
  ...['admin.enableServer=false', '4lw.commands.whitelist=srvr', 'quorumListenOnAllIPs=true'],
  ...ZOOKEEPER_MEMBERS.map((name, at) => `server.${at + 1}=${name}.${PEERS}:2888:3888`),
].join('\n');
const START = `echo $((\${HOSTNAME##*-} + 1)) > /data/myid
cat > /tmp/zoo.cfg << END
${CONFIGURATION}
END
exec ${JAVA} org.apache.zookeeper.server.quorum.QuorumPeerMain /tmp/zoo.cfg`;
/** Says the mode of a member that is one of the ensemble. */
const ASK = `exec 3<>/dev/tcp/127.0.0.1/${CLIENT_PORT}; echo srvr >&3; grep ^Mode: <&3`;

const labels = { app: 'zk' };

/** Two services: by one the members find each other, ready or not; the other is for clients. */
export function zookeeperObjects(storageClass: string): readonly object[] {
  const service = (name: string, spec: object): object => ({
    ...{ apiVersion: 'v1', kind: 'Service', metadata: { name, labels } },
    spec: { selector: labels, ...spec },
  });
  const ports = [2888, 3888].map((port) => ({ port, name: `port-${port}` }));
  return [
    service(PEERS, { ports, clusterIP: 'None', publishNotReadyAddresses: true }),
    service('zk-cs', { ports: [{ port: CLIENT_PORT, name: 'client' }] }),
    {
      ...{ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'zk' } },
      spec: { selector: { matchLabels: labels }, maxUnavailable: 1 },
    },
    {
      ...{ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'zk' } },
      spec: {
        ...{ serviceName: PEERS, replicas: ZOOKEEPER_MEMBERS.length, podManagementPolicy: 'Parallel' },
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: memberSpec() },
        volumeClaimTemplates: [
          {
            metadata: { name: 'data' },
            spec: {
              ...{ storageClassName: storageClass, accessModes: ['ReadWriteOnce'] },
              resources: { requests: { storage: '128Mi' } },
            },
          },
        ],
      },
    },
  ];
}

function memberSpec(): object {
  return {
    terminationGracePeriodSeconds: 2,
    automountServiceAccountToken: false,
    // One for each node, of those that take pods.
    topologySpreadConstraints: [
      {
        ...{ maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule' },
        ...{ labelSelector: { matchLabels: labels }, nodeTaintsPolicy: 'Honor' },
      },
    ],
    containers: [
      {
        ...{ name: 'zookeeper', image: ZOOKEEPER.name, imagePullPolicy: 'Never', command: ['bash', '-ec', START] },
        readinessProbe: { exec: { command: ['bash', '-c', ASK] }, periodSeconds: 2, timeoutSeconds: 5 },
        volumeMounts: [{ name: 'data', mountPath: '/data' }],
      },
    ],
  };
}

/** What a member is: "leader", "follower". */
export async function modeOf(kubectl: Kubectl, member: string): Promise<string> {
  return (await kubectl.run('exec', member, '--', 'bash', '-c', ASK)).slice('Mode: '.length).trim();
}

/** What ZooKeeper's own client prints about a command, asked of one member. */
export async function zookeeper(kubectl: Kubectl, member: string, ...command: readonly string[]): Promise<string> {
  const client = `${JAVA} org.apache.zookeeper.ZooKeeperMain -server 127.0.0.1:${CLIENT_PORT} "$@"`;
  return kubectl.run('exec', member, '--', 'bash', '-c', client, 'client', ...command);
}
