/** The controllers over the embedded API server; over kube-apiserver by test/k8s/controllers.test.ts. */
import { describeControllers } from './controllers.contract.ts';
import { serveHttpsApi } from './https-api.ts';

describeControllers('the embedded API server', async () => {
  const api = await serveHttpsApi();
  return {
    client: await api.client('admin', 'holdfast:admins'),
    controllerClient: await api.client('controller', 'holdfast:controllers'),
    isOnCluster: false,
    stop: () => api.stop(),
  };
});
